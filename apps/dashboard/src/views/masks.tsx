import { useMemo, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { birthsOf } from '../model/births.js';
import { formatAccuracy } from '../model/format.js';
import { type RunWords, runWords } from '../model/method-words.js';
import type { Individual } from '../model/run-model.js';
import { Canvas } from '../ui/canvas.js';
import { GenerationChoice } from '../ui/generation-choice.js';
import { Key } from '../ui/legend.js';
import { pickerProps } from '../ui/picker.js';
import { Nothing } from '../ui/states.js';
import { useWidth } from '../ui/use-size.js';
import { drawMasks, maskLayout } from './draw-masks.js';
import { IndividualsTable } from './individuals-table.js';
import type { ViewProps } from './view-props.js';

const VIEWPORT = 520;

/** Every individual a row, every block a column; only the rows in sight are drawn. */
export function Masks({ model, opened, changes }: ViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { route } = useLocation();
  const width = useWidth(frame);
  const [scroll, setScroll] = useState(0);
  const [picked, setPicked] = useState<number>();
  const [whose, setWhose] = useState<'all' | 'survivors'>('all');
  const [t, setT] = useState<number>();

  const births = useMemo(() => birthsOf(model), [model, changes]);
  const rows = useMemo(() => {
    const generation = model.generations.find((one) => one.t === t) ?? model.generations.at(-1);
    const shown: readonly Individual[] =
      whose === 'all' ? model.individuals : (generation?.parents.map((number) => model.individual(number)) ?? []);
    return shown.toSorted((a, b) => b.accuracy - a.accuracy || a.number - b.number);
  }, [model, changes, whose, t]);
  if (model.individuals.length === 0) return <Nothing>No individual is evaluated yet.</Nothing>;

  const words = runWords(opened.experiment);
  const layout = maskLayout(width, opened.blocks.length);
  const index = rows.findIndex(({ number }) => number === picked);
  const lineage = (number: number) => `/runs/${encodeURIComponent(opened.runId)}/lineage?individual=${number}`;
  const pick = (row: number) => {
    setPicked(rows[row]?.number);
    const top = row * layout.rowHeight;
    const seen = VIEWPORT - layout.head - layout.rowHeight;
    const element = frame.current;
    if (row >= 0 && element && (top < element.scrollTop || top > element.scrollTop + seen))
      element.scrollTop = Math.max(0, top - seen / 2);
  };
  const onPointerMove = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const y = event.clientY - event.currentTarget.getBoundingClientRect().top - layout.head;
    const row = Math.floor((y + event.currentTarget.scrollTop) / layout.rowHeight);
    setPicked(y >= 0 ? rows[row]?.number : undefined);
  };
  const row = rows[index];
  const text = row ? describe(row, words, births.get(row.mask)?.t) : '';
  return (
    <>
      <h2>Masks</h2>
      <div class="controls">
        <label>
          Of{' '}
          <select
            value={whose}
            onChange={(event) => setWhose(event.currentTarget.value === 'survivors' ? 'survivors' : 'all')}
          >
            <option value="all">all individuals</option>
            <option value="survivors">the survivors</option>
          </select>
        </label>
        {whose === 'survivors' && (
          <GenerationChoice round={words.round} generations={model.generations} chosen={t} choose={setT} />
        )}
      </div>
      <ul class="legend">
        <Key name="block kept" variable="--kept" />
        <Key name="block re-initialised" variable="--fresh" />
        <li class="faint">
          Bars above: parameters of the block. Right: accuracy.
          {words.evolvesMasks && ' Enter shows where an individual comes from.'}
        </li>
      </ul>
      <div
        ref={frame}
        class="viewport"
        style={{ height: `${Math.min(VIEWPORT, layout.head + rows.length * layout.rowHeight + 4)}px` }}
        {...pickerProps({
          label: 'Masks, fittest first: arrow keys go from one to the next',
          count: rows.length,
          index,
          text,
          pick,
          open: () => row && words.evolvesMasks && route(lineage(row.number)),
        })}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
        onPointerMove={onPointerMove}
      >
        <div style={{ height: `${layout.head + rows.length * layout.rowHeight}px`, width: `${layout.width}px` }}>
          <div class="stuck">
            <Canvas
              width={layout.width}
              height={VIEWPORT}
              when={[rows, scroll, index, layout.width]}
              draw={(context) =>
                drawMasks(context, { rows, blocks: opened.blocks, layout, scroll, index, height: VIEWPORT })
              }
            />
          </div>
        </div>
      </div>
      <p class="readout mask" aria-live="polite">
        {text || ' '}
      </p>
      <IndividualsTable rows={rows} births={births} lineage={words.evolvesMasks ? lineage : undefined} />
    </>
  );
}

function describe(
  { number, mask, accuracy }: Individual,
  { round, evolvesMasks }: RunWords,
  born: number | undefined,
): string {
  return `individual ${number}: ${mask}, accuracy ${formatAccuracy(accuracy)}${born === undefined ? '' : `, ${evolvesMasks ? 'born' : 'drawn'} in ${round} ${born}`}`;
}
