import { scaleBand, scaleLinear } from 'd3-scale';
import { useRef, useState } from 'preact/hooks';
import { type FiveNumbers, fiveNumbers } from '../model/five-numbers.js';
import { formatAccuracy } from '../model/format.js';
import { capitalised, runWords } from '../model/method-words.js';
import type { Population, RunModel } from '../model/run-model.js';
import { plotBox } from '../ui/axes.js';
import { Nothing } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { useWidth } from '../ui/use-size.js';
import { Networks } from './networks.js';
import type { ViewProps } from './view-props.js';

const HEIGHT = 380;

interface Box extends FiveNumbers {
  readonly t: number;
  readonly nabla: number;
}

/** How the accuracies of each generation or step are spread; nabla is the range of those that the method goes on with. */
export function Fitness({ model, opened }: ViewProps) {
  const [whose, setWhose] = useState<'parents' | 'offspring'>('parents');
  const words = runWords(opened.experiment);
  const { populations } = model;
  const shown = words.evolvesMasks && whose === 'offspring' ? offspringOf(model) : populations;
  const boxes = shown.flatMap(({ t, members, nabla }): Box[] =>
    members.length > 0 ? [{ t, nabla, ...fiveNumbers(members.map(({ accuracy }) => accuracy)) }] : [],
  );
  if (populations.length === 0) return <Nothing>No {words.round} is closed yet.</Nothing>;
  return (
    <>
      <h2>Fitness by {words.round}</h2>
      {words.evolvesMasks && (
        <div class="controls">
          <label>
            Of{' '}
            <select
              value={whose}
              onChange={(event) => setWhose(event.currentTarget.value === 'offspring' ? 'offspring' : 'parents')}
            >
              <option value="parents">the survivors</option>
              <option value="offspring">the offspring</option>
            </select>
          </label>
        </div>
      )}
      <BoxPlots boxes={boxes} alpha={model.alpha?.accuracy} round={words.round} />
      <Table
        caption={`In figures; nabla is the range of the accuracies ${words.evolvesMasks ? 'of the survivors' : 'that it ends with'}`}
        columns={[
          capitalised(words.round),
          'Least',
          'Lower quartile',
          'Median',
          'Upper quartile',
          'Greatest',
          'Nabla',
        ].map((title) => ({ title, isNumber: true }))}
        rows={boxes.map(({ t, least, lower, median, upper, greatest, nabla }) => ({
          key: t,
          cells: [t, ...[least, lower, median, upper, greatest, nabla].map(formatAccuracy)],
        }))}
      />
      {!model.searchesMasks && <Networks model={model} round={words.round} />}
    </>
  );
}

function offspringOf(model: RunModel): Population[] {
  return model.generations.map(({ t, offspring, nabla }) => ({
    t,
    members: offspring.map((number) => model.individual(number)),
    nabla,
  }));
}

interface BoxPlotsProps {
  readonly boxes: readonly Box[];
  readonly alpha: number | undefined;
  readonly round: string;
}

function BoxPlots({ boxes, alpha, round }: BoxPlotsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const box = plotBox(width, HEIGHT);
  const x = scaleBand<number>(
    boxes.map(({ t }) => t),
    [box.left, box.right],
  ).paddingInner(0.4);
  const values = [
    ...boxes.flatMap(({ least, greatest }) => [least, greatest]),
    ...(alpha === undefined ? [] : [alpha]),
  ];
  const y = scaleLinear([Math.min(...values), Math.max(...values)], [box.bottom, box.top]).nice();
  const every = Math.ceil(boxes.length / Math.max(1, width / 40));
  return (
    <div
      ref={frame}
      class="chart"
      style={{ height: `${HEIGHT}px` }}
      role="img"
      aria-label={`Box plots of accuracy, one a ${round}; the table below has the figures`}
    >
      <svg width={width} height={HEIGHT} class="axis" aria-hidden="true">
        {y.ticks(6).map((tick) => (
          <g key={tick} transform={`translate(0 ${y(tick)})`}>
            <line class="grid" x1={box.left} x2={box.right} />
            <text x={box.left - 6} dy="0.32em" text-anchor="end">
              {y.tickFormat(6)(tick)}
            </text>
          </g>
        ))}
        {alpha !== undefined && (
          <line
            x1={box.left}
            x2={box.right}
            y1={y(alpha)}
            y2={y(alpha)}
            style={{ stroke: 'var(--alpha)' }}
            stroke-width="2"
            stroke-dasharray="6 3"
          />
        )}
        {boxes.map((one, i) => (
          <g key={one.t} transform={`translate(${x(one.t) ?? 0} 0)`}>
            <BoxPlot of={one} width={x.bandwidth()} y={y} />
            {i % every === 0 && (
              <text x={x.bandwidth() / 2} y={box.bottom + 18} text-anchor="middle">
                {one.t}
              </text>
            )}
          </g>
        ))}
        <text x={(box.left + box.right) / 2} y={box.bottom + 36} text-anchor="middle">
          {round}
          {alpha === undefined ? '' : ' (dashed: alpha)'}
        </text>
      </svg>
    </div>
  );
}

function BoxPlot({ of, width, y }: { of: FiveNumbers; width: number; y: (accuracy: number) => number }) {
  const middle = width / 2;
  return (
    <g style={{ stroke: 'var(--ink)' }}>
      <line x1={middle} x2={middle} y1={y(of.least)} y2={y(of.greatest)} />
      <rect
        width={width}
        y={y(of.upper)}
        height={Math.max(1, y(of.lower) - y(of.upper))}
        style={{ fill: 'var(--best)', fillOpacity: 0.55 }}
      />
      <line x2={width} y1={y(of.median)} y2={y(of.median)} stroke-width="2.5" />
      <line x1={width * 0.25} x2={width * 0.75} y1={y(of.least)} y2={y(of.least)} />
      <line x1={width * 0.25} x2={width * 0.75} y1={y(of.greatest)} y2={y(of.greatest)} />
    </g>
  );
}
