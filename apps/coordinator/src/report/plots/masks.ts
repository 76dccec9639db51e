import { METHOD_WORDS } from '@nesgd/core/methods';
import * as Plot from '@observablehq/plot';
import { keptBlocks } from '../../display/format.js';
import type { RunDigest } from '../run-digest.js';
import { percent } from '../table.js';
import type { Figure } from './draw.js';

/** More rows than this are no picture any more; the share of each block says the same. */
const MOST_ROWS = 240;
const ROW_HEIGHT = 12;
const MOST_SLANTED = 20;

/** Every survivor of every generation as a row, fittest first; a column a block, filled where alpha's weights are kept. */
export function maskFigure(run: RunDigest): Figure | undefined {
  const { generations, opened, method } = run;
  const round = METHOD_WORDS[method].round;
  const rows = generations.flatMap(({ t, parents }) =>
    [...parents]
      .sort((a, b) => b.fitness - a.fitness)
      .map(({ mask, fitness }, rank) => ({ t, rank, mask: mask.join(''), fitness })),
  );
  if (rows.length === 0 || rows.length > MOST_ROWS) return undefined;
  const blocks = blockLabels(run);
  const cells = rows.flatMap(({ t, rank, mask, fitness }) =>
    blocks.map((block, i) => ({
      t,
      rank,
      block,
      kept: mask[i] === '1',
      title: `${opened.blocks[i]!.name}: ${mask[i] === '1' ? 'kept' : 're-initialised'}\n${mask}, ${round} ${t}: ${percent(fitness)} %`,
    })),
  );
  return {
    name: 'masks',
    title: `Masks that each ${round} ends with, fittest first: filled blocks are kept`,
    description: `Heat map of ${rows.length} masks over ${blocks.length} blocks by ${round}. ${bestKeeps(run)}`,
    options: (palette) => ({
      height: rows.length * ROW_HEIGHT + generations.length * 6 + 130,
      marginLeft: 70,
      marginRight: 60,
      ...blockAxis(blocks),
      y: { axis: null, padding: 0.12 },
      fy: { label: round, axis: 'left', padding: 0.08 },
      marks: [
        Plot.cell(cells, {
          x: 'block',
          y: 'rank',
          fy: 't',
          fill: ({ kept }: (typeof cells)[number]) => (kept ? palette.kept : palette.fresh),
          title: 'title',
        }),
        Plot.text(rows, {
          y: 'rank',
          fy: 't',
          frameAnchor: 'right',
          textAnchor: 'start',
          dx: 6,
          fontSize: 9,
          text: ({ fitness }: (typeof rows)[number]) => percent(fitness),
        }),
      ],
    }),
  };
}

/** A row a generation: how many of its survivors keep each block. */
export function keptShareFigure(run: RunDigest): Figure | undefined {
  const { generations } = run;
  const round = METHOD_WORDS[run.method].round;
  if (generations.length === 0) return undefined;
  const blocks = blockLabels(run);
  const cells = generations.flatMap(({ t, parents }) =>
    blocks.map((block, i) => {
      const share = parents.filter(({ mask }) => mask[i] === 1).length / parents.length;
      return {
        t,
        block,
        share,
        title: `${run.opened.blocks[i]!.name}, ${round} ${t}: kept by ${Math.round(100 * share)} %`,
      };
    }),
  );
  return {
    name: 'kept-blocks',
    title: `Share of the masks that keep a block, by ${round}`,
    description: `Heat map of ${blocks.length} blocks by ${generations.length} ${round}s; the darker, the more keep the block (their share in per cent). ${bestKeeps(run)}`,
    options: (palette) => ({
      height: Math.max(3, generations.length) * 18 + 130,
      marginLeft: 70,
      ...blockAxis(blocks),
      y: { label: round, padding: 0.06 },
      marks: [
        Plot.cell(cells, { x: 'block', y: 't', fill: palette.fresh }),
        Plot.cell(cells, {
          x: 'block',
          y: 't',
          fill: palette.kept,
          fillOpacity: (cell: { share: number }) => cell.share,
          title: 'title',
        }),
        Plot.text(blocks.length > 24 ? [] : cells, {
          x: 'block',
          y: 't',
          text: ({ share }: (typeof cells)[number]) => String(Math.round(100 * share)),
          fill: ({ share }: (typeof cells)[number]) => (share > 0.6 ? 'white' : palette.ink),
          fontSize: 9,
        }),
      ],
      opacity: { range: [0, 1], domain: [0, 1] },
    }),
  };
}

/** Names stand slanted, and where there are many upright. */
function blockAxis(blocks: readonly string[]): Pick<Plot.PlotOptions, 'x' | 'marginTop'> {
  const upright = blocks.length > MOST_SLANTED;
  const longest = Math.max(...blocks.map(({ length }) => length));
  return {
    x: { domain: blocks, axis: 'top', label: null, tickRotate: upright ? -90 : -35, padding: 0.07 },
    marginTop: (upright ? 6.5 : 4) * longest + 10,
  };
}

/** `layer1.0 4.7k`: name and parameters; two blocks never have one name. */
function blockLabels({ opened }: RunDigest): string[] {
  const si = (n: number) =>
    n < 1000 ? String(n) : n < 999_500 ? `${(n / 1000).toPrecision(2)}k` : `${(n / 1e6).toPrecision(2)}M`;
  return opened.blocks.map(({ name, parameters }) => `${name} ${si(parameters).replace(/e\+\dk$/, 'k')}`);
}

function bestKeeps({ best }: RunDigest): string {
  return best ? `The best mask, ${best.label}, keeps ${keptBlocks(best.label)} of ${best.label.length} blocks.` : '';
}
