import { resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { writeFileAtomically } from '@nesgd/core/storage';
import { tableText } from '../report/markdown.js';
import { drawFigure } from '../report/plots/draw.js';
import { PRINT } from '../report/plots/palette.js';
import type { Comparison } from './comparison.js';
import { comparisonFigure } from './comparison-figure.js';
import { comparisonTables } from './comparison-tables.js';

/** The comparison's tables as Markdown and its figure as SVG, each where a path for it is given. @throws InputError */
export async function writeComparison(
  comparison: Comparison,
  { markdown, svg }: { readonly markdown?: string; readonly svg?: string },
): Promise<void> {
  if (markdown !== undefined) await write(markdown, comparisonTables(comparison).map(tableText).join('\n\n'));
  if (svg !== undefined) await write(svg, drawFigure(comparisonFigure(comparison), PRINT));
}

async function write(path: string, text: string): Promise<void> {
  await writeFileAtomically(resolve(path), `${text}\n`).catch((cause: Error) => {
    throw new InputError('COMPARE_FILE', `${path} cannot be written: ${cause.message}; name another place`, false, {
      cause,
    });
  });
}
