import type { OpenedFact } from '@nesgd/core/run';
import { formatAccuracy } from '../model/format.js';
import type { Individual } from '../model/run-model.js';
import { colour } from '../ui/theme.js';

const NARROWEST_CELL = 9;
const RIGHT = 128;
const NAMES = 84;
const SIZES = 24;

interface MaskLayout {
  readonly width: number;
  readonly cell: number;
  readonly rowHeight: number;
  /** Height of the blocks' names and sizes. */
  readonly head: number;
}

/** In CSS pixels; wider than what there is where the blocks need it. */
export function maskLayout(available: number, blocks: number): MaskLayout {
  const cell = Math.max(NARROWEST_CELL, Math.min(48, (available - RIGHT) / blocks));
  return { width: Math.max(available, cell * blocks + RIGHT), cell, rowHeight: 14, head: NAMES + SIZES };
}

interface MaskDrawing {
  readonly rows: readonly Individual[];
  readonly blocks: OpenedFact['blocks'];
  readonly layout: MaskLayout;
  readonly scroll: number;
  /** The row that is picked. */
  readonly index: number;
  readonly height: number;
}

/** The blocks' names and sizes, and the rows that are in sight. */
export function drawMasks(context: CanvasRenderingContext2D, drawing: MaskDrawing): void {
  const { rows, layout, scroll, height, index } = drawing;
  const [kept, fresh, ink, best, focus] = ['--kept', '--fresh', '--ink', '--best', '--focus'].map(colour) as [
    string,
    string,
    string,
    string,
    string,
  ];
  context.font = '11px system-ui, sans-serif';
  drawHead(context, drawing, ink, best);
  context.save();
  context.beginPath();
  context.rect(0, layout.head, layout.width, height);
  context.clip();
  const { range, low } = accuracyRange(rows);
  const first = Math.floor(scroll / layout.rowHeight);
  const last = Math.min(rows.length - 1, Math.ceil((scroll + height) / layout.rowHeight));
  for (let i = first; i <= last; i++) {
    const row = rows[i];
    if (!row) continue;
    const y = layout.head + i * layout.rowHeight - scroll;
    for (let block = 0; block < row.mask.length; block++) {
      context.fillStyle = row.mask[block] === '1' ? kept : fresh;
      context.fillRect(block * layout.cell, y, layout.cell - 1, layout.rowHeight - 1);
    }
    const x = row.mask.length * layout.cell + 6;
    context.fillStyle = best;
    context.globalAlpha = 0.55;
    context.fillRect(x + 44, y + 2, 2 + (70 * (row.accuracy - low)) / range, layout.rowHeight - 5);
    context.globalAlpha = 1;
    context.fillStyle = ink;
    context.fillText(formatAccuracy(row.accuracy), x, y + 10);
    if (i !== index) continue;
    context.strokeStyle = focus;
    context.lineWidth = 2;
    context.strokeRect(1, y, layout.width - 2, layout.rowHeight - 1);
  }
  context.restore();
}

function drawHead(
  context: CanvasRenderingContext2D,
  { blocks, layout: { cell, head } }: MaskDrawing,
  ink: string,
  best: string,
): void {
  const largest = Math.max(1, ...blocks.map(({ parameters }) => parameters));
  const every = Math.ceil(12 / cell);
  blocks.forEach(({ name, parameters }, i) => {
    const size = Math.max(1, ((SIZES - 4) * parameters) / largest);
    context.fillStyle = best;
    context.fillRect(i * cell + 1, head - 2 - size, cell - 3, size);
    if (i % every !== 0) return;
    context.save();
    context.fillStyle = ink;
    context.translate(i * cell + Math.min(cell / 2 + 4, 14), head - SIZES - 2);
    context.rotate(-Math.PI / 3);
    context.fillText(name.length > 14 ? `${name.slice(0, 13)}…` : name, 0, 0);
    context.restore();
  });
}

function accuracyRange(rows: readonly Individual[]): { range: number; low: number } {
  const low = rows.at(-1)?.accuracy ?? 0;
  const high = rows[0]?.accuracy ?? 1;
  return { low, range: Math.max(1e-9, high - low) };
}
