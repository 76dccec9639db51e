import { interpolateRgb } from 'd3-interpolate';
import { useMemo, useRef, useState } from 'preact/hooks';
import { keptShares } from '../model/block-frequency.js';
import { formatCount } from '../model/format.js';
import { capitalised, runWords } from '../model/method-words.js';
import { Canvas } from '../ui/canvas.js';
import { Key } from '../ui/legend.js';
import { pickerProps } from '../ui/picker.js';
import { Nothing } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { colour } from '../ui/theme.js';
import { useWidth } from '../ui/use-size.js';
import type { ViewProps } from './view-props.js';

const ROW = 18;
const NAMES = 120;
const FOOT = 22;

/** Which blocks survivors keep, as generations go by. */
export function Blocks({ model, opened, changes }: ViewProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [picked, setPicked] = useState(-1);
  const { blocks } = opened;
  const { round } = runWords(opened.experiment);
  const shares = useMemo(() => keptShares(model, blocks.length), [model, changes, blocks.length]);
  if (shares.length === 0) return <Nothing>No {round} is closed yet.</Nothing>;
  const cell = (width - NAMES) / shares.length;
  const height = blocks.length * ROW + FOOT;
  const last = shares.at(-1) ?? [];
  const describe = (block: number) =>
    `${blocks[block]?.name}: kept by ${percent(shares[0]?.[block])} of the first population, by ${percent(last[block])} of ${round} ${shares.length - 1}`;
  return (
    <>
      <h2>Blocks that survivors keep</h2>
      <ul class="legend">
        <Key name="nobody" variable="--ramp-low" />
        <Key name="everybody" variable="--ramp-high" />
      </ul>
      <div
        ref={frame}
        class="chart"
        style={{ height: `${height}px` }}
        {...pickerProps({
          label: `Blocks by ${round}: arrow keys go from block to block`,
          count: blocks.length,
          index: picked,
          text: describe(picked),
          pick: setPicked,
        })}
        onPointerMove={(event) => {
          const row = Math.floor((event.clientY - event.currentTarget.getBoundingClientRect().top) / ROW);
          setPicked(row < blocks.length ? row : -1);
        }}
      >
        <Canvas
          width={width}
          height={height}
          when={[shares, width, picked]}
          draw={(context) => {
            const shade = interpolateRgb(colour('--ramp-low'), colour('--ramp-high'));
            context.font = '12px system-ui, sans-serif';
            shares.forEach((row, t) => {
              row.forEach((share, block) => {
                context.fillStyle = shade(share);
                context.fillRect(NAMES + t * cell, block * ROW, cell - 1, ROW - 1);
              });
            });
            context.fillStyle = colour('--ink');
            blocks.forEach(({ name }, block) => {
              context.fillText(name.length > 18 ? `${name.slice(0, 17)}…` : name, 0, block * ROW + 13, NAMES - 6);
            });
            context.fillText(`${round} 0 to ${shares.length - 1}`, NAMES, height - 6);
            if (picked < 0) return;
            context.strokeStyle = colour('--focus');
            context.lineWidth = 2;
            context.strokeRect(1, picked * ROW, width - 2, ROW - 1);
          }}
        />
      </div>
      <p class="readout" aria-live="polite">
        {picked < 0 ? ' ' : describe(picked)}
      </p>
      <Table
        caption="Share of the population that keeps the block"
        columns={[
          { title: 'Block' },
          { title: 'Parameters', isNumber: true },
          { title: 'First population', isNumber: true },
          { title: `${capitalised(round)} ${shares.length - 1}`, isNumber: true },
          { title: 'The best' },
        ]}
        rows={blocks.map(({ name, parameters }, i) => ({
          key: i,
          cells: [
            name,
            formatCount(parameters),
            percent(shares[0]?.[i]),
            percent(last[i]),
            model.best?.mask[i] === '1' ? 'keeps it' : 're-initialises it',
          ],
        }))}
      />
    </>
  );
}

function percent(share: number | undefined): string {
  return share === undefined ? '–' : `${(100 * share).toFixed(1)} %`;
}
