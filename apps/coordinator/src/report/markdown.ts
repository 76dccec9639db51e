import { markdownTable } from 'markdown-table';
import { measuredBy } from './measured-by.js';
import { standing } from './page.js';
import { paperTables } from './paper-tables.js';
import { figuresOf } from './plots/index.js';
import { SOURCE } from './published.js';
import type { RunDigest } from './run-digest.js';
import { expectationTables, generationTable, overviewTable, settingsTable, spentTable } from './run-tables.js';
import type { Table } from './table.js';

/**
 * The report's tables as Markdown (GitHub's), and its figures where they are files.
 * @param figurePath of a run's figure, relative to the Markdown file; undefined where there is none.
 */
export function reportMarkdown(
  runs: readonly RunDigest[],
  figurePath: (run: RunDigest, figure: string) => string | undefined,
): string {
  const sections = runs.map((run) => {
    const figures = figuresOf(run).flatMap(({ name, title, description }) => {
      const path = figurePath(run, name);
      return path === undefined ? [] : [`![${plain(title)}](<${path}>)\n\n${plain(description)}`];
    });
    const notice = standing(run);
    return [
      `## ${plain(run.runId)}`,
      ...(notice === undefined ? [] : [`> ${plain(notice)}`]),
      ...figures,
      ...[...expectationTables(run), generationTable(run), spentTable(run), settingsTable(run)].map(tableText),
    ].join('\n\n');
  });
  return `${[
    '# NE-SGD report',
    tableText(overviewTable(runs)),
    ...sections,
    '## The paper’s tables',
    `Published: ${plain(SOURCE)}: all training images, 350 epochs, 30 generations of 5, fitness on the test set. Measured by:`,
    listText(measuredBy(runs)),
    ...paperTables(runs).map(tableText),
  ].join('\n\n')}\n`;
}

/** A table as GitHub's Markdown has it. */
export function tableText({ caption, header, rows, notes, words = [] }: Table): string {
  const align = header.map((_, column) => (column === 0 || words.includes(column) ? 'l' : 'r'));
  const cells = [header, ...rows].map((row) => row.map(plain));
  const parts = [`**${plain(caption)}**`, markdownTable(cells, { align })];
  return [...parts, ...(notes.length > 0 ? [listText(notes)] : [])].join('\n\n');
}

const listText = (items: readonly string[]): string => items.map((item) => `- ${plain(item)}`).join('\n');

/** A text that stands for itself: one line, nothing in it taken for markup. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|~!&]/g, (character) => `\\${character}`);
}
