import { scaleLinear } from 'd3-scale';
import { useMemo, useRef, useState } from 'preact/hooks';
import { accuracyRange, type Curve, curvesOf, nearestCurve } from '../model/curves.js';
import { formatAccuracy } from '../model/format.js';
import { runWords } from '../model/method-words.js';
import { Axes, plotBox, type Scale } from '../ui/axes.js';
import { Canvas } from '../ui/canvas.js';
import { Key } from '../ui/legend.js';
import { pickerProps } from '../ui/picker.js';
import { Nothing } from '../ui/states.js';
import { colour } from '../ui/theme.js';
import { useWidth } from '../ui/use-size.js';
import type { ViewProps } from './view-props.js';

const HEIGHT = 460;
const REACH = 24;

/** The paper's Fig. 3: alpha's curve, then everyone's retraining from where alpha ended. */
export function Convergence({ model, opened, pulse, changes }: ViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [chosen, setChosen] = useState<string>();
  const { live } = pulse;
  const curves = useMemo(() => curvesOf(model, live), [model, live, changes]);
  const ranked = useMemo(() => byFinalAccuracy(curves), [curves]);
  const highlighted = curves.find((curve) => keyOf(curve) === chosen);

  const box = plotBox(width, HEIGHT);
  const x = scaleLinear([0, Math.max(1, ...curves.map(({ epochs }) => epochs.at(-1) ?? 0))], [box.left, box.right]);
  const y = scaleLinear(accuracyRange(curves), [box.bottom, box.top]).nice();
  const best = model.best?.name;
  const { individuals, usesAlpha } = runWords(opened.experiment);

  const onPointerMove = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const nearest = nearestCurve(curves, { x: event.clientX - left, y: event.clientY - top }, x, y, REACH);
    setChosen(nearest && keyOf(nearest));
  };

  return (
    <>
      <h2>Convergence</h2>
      <ul class="legend">
        {model.alpha && <Key name="alpha (SGD)" variable="--alpha" />}
        <Key name={`${model.individuals.length} ${individuals}`} variable="--individual" />
        <Key name="best" variable="--best" />
        {live && live.active.length > 0 && <Key name="being trained" variable="--live" />}
      </ul>
      <div
        ref={frame}
        class="chart"
        style={{ height: `${HEIGHT}px` }}
        {...pickerProps({
          label: 'Learning curves, fittest first: arrow keys highlight one after the other',
          count: ranked.length,
          index: highlighted ? ranked.indexOf(highlighted) : -1,
          text: highlighted ? describe(highlighted) : '',
          pick: (index) => setChosen(ranked[index] && keyOf(ranked[index])),
        })}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setChosen(undefined)}
      >
        <Canvas
          width={width}
          height={HEIGHT}
          when={[curves, width, best]}
          draw={(context) => drawAll(context, curves, x, y, best)}
        />
        <Canvas
          width={width}
          height={HEIGHT}
          when={[highlighted, width]}
          draw={(context) => highlighted && drawCurve(context, highlighted, x, y, colour('--ink'), 3)}
        />
        <Axes
          width={width}
          height={HEIGHT}
          box={box}
          x={x}
          y={y}
          xTitle={usesAlpha ? "epoch, alpha's first" : 'epoch'}
          yTitle="accuracy"
          countsX={true}
        />
      </div>
      <p class="readout" aria-live="polite">
        {highlighted ? describe(highlighted) : ' '}
      </p>
      {curves.length === 0 && <Nothing>No epoch is over yet.</Nothing>}
    </>
  );
}

function keyOf({ kind, number, name }: Curve): string {
  return number === undefined ? `${kind} ${name}` : String(number);
}

function byFinalAccuracy(curves: readonly Curve[]): Curve[] {
  const last = ({ accuracies }: Curve) => accuracies.at(-1) ?? 0;
  return curves.toSorted((a, b) => last(b) - last(a));
}

function describe({ kind, number, name, epochs, accuracies }: Curve): string {
  const isMask = /^[01]+$/.test(name);
  const who = kind !== 'individual' ? name : isMask ? `individual ${number}, mask ${name}` : `network ${name}`;
  return `${who}: ${formatAccuracy(accuracies.at(-1))} after epoch ${epochs.at(-1)}`;
}

function drawAll(
  context: CanvasRenderingContext2D,
  curves: readonly Curve[],
  x: Scale,
  y: Scale,
  best: string | undefined,
): void {
  const faint = colour('--individual');
  context.globalAlpha = Math.max(0.08, Math.min(0.6, 40 / curves.length));
  for (const curve of curves) if (curve.kind === 'individual') drawCurve(context, curve, x, y, faint, 1);
  context.globalAlpha = 1;
  for (const curve of curves) {
    if (curve.kind === 'live') drawCurve(context, curve, x, y, colour('--live'), 1.5);
    if (curve.kind === 'individual' && curve.name === best) drawCurve(context, curve, x, y, colour('--best'), 2.5);
    if (curve.kind === 'alpha') drawCurve(context, curve, x, y, colour('--alpha'), 2.5);
  }
}

function drawCurve(
  context: CanvasRenderingContext2D,
  { epochs, accuracies }: Curve,
  x: Scale,
  y: Scale,
  stroke: string,
  lineWidth: number,
): void {
  context.strokeStyle = stroke;
  context.fillStyle = stroke;
  context.lineWidth = lineWidth;
  context.beginPath();
  epochs.forEach((epoch, i) => {
    if (i === 0) context.moveTo(x(epoch), y(accuracies[i] as number));
    else context.lineTo(x(epoch), y(accuracies[i] as number));
  });
  context.stroke();
  if (epochs.length > 2 && lineWidth < 2) return;
  const last = epochs.length - 1;
  context.beginPath();
  context.arc(x(epochs[last] as number), y(accuracies[last] as number), lineWidth + 1, 0, 2 * Math.PI);
  context.fill();
}
