import { basename, dirname, join, relative, resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { writeFileAtomically } from '@nesgd/core/storage';
import sharp from 'sharp';
import { reportMarkdown } from '../report/markdown.js';
import { reportPage } from '../report/page.js';
import { paperTables } from '../report/paper-tables.js';
import { drawFigure } from '../report/plots/draw.js';
import { figuresOf } from '../report/plots/index.js';
import { PRINT } from '../report/plots/palette.js';
import { type RunDigest, readDigest } from '../report/run-digest.js';
import { generationTable, overviewTable, settingsTable, spentTable } from '../report/run-tables.js';
import type { Table } from '../report/table.js';

export interface ReportOptions {
  readonly runs: string;
  /** Default: `report.html` in the folder of one run, or here for several. */
  readonly out?: string;
  readonly markdown?: string;
  /** Folders for the figures as files. */
  readonly png?: string;
  readonly svg?: string;
}

/** What `nesgd report --json` prints. */
export interface ReportSummary {
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly overview: Table;
  readonly runs: readonly {
    readonly runId: string;
    readonly state: RunDigest['state'];
    /** Null where the experiment has none. */
    readonly expectation: RunDigest['expectation'];
    readonly generations: Table;
    readonly spent: Table;
    readonly settings: Table;
  }[];
  readonly paper: readonly Table[];
}

/**
 * `nesgd report RUN...`, from the journals alone: finished runs or not.
 * @throws InputError for an unknown run or a damaged journal, and for a file that cannot be written.
 */
export async function report(runIds: readonly string[], options: ReportOptions): Promise<ReportSummary> {
  const runs: RunDigest[] = [];
  for (const runId of new Set(runIds)) runs.push(await readDigest(options.runs, runId));
  const [first, ...others] = runs;
  const out = resolve(
    options.out ?? (others.length > 0 ? 'report.html' : join(options.runs, first!.runId, 'report.html')),
  );

  const files = new Map<string, string | Uint8Array>([[out, reportPage(runs)]]);
  for (const run of runs) {
    for (const figure of figuresOf(run)) {
      const svg = drawFigure(figure, PRINT);
      if (options.svg !== undefined) files.set(figurePath(options.svg, run, figure.name, 'svg'), svg);
      if (options.png !== undefined) files.set(figurePath(options.png, run, figure.name, 'png'), await pngOf(svg));
    }
  }
  if (options.markdown !== undefined) {
    const markdown = resolve(options.markdown);
    files.set(
      markdown,
      reportMarkdown(runs, (run, figure) => figureBeside(markdown, options, run, figure)),
    );
  }
  for (const [path, content] of files) await write(path, content);
  return {
    files: [...files.keys()],
    overview: overviewTable(runs),
    runs: runs.map((run) => ({
      runId: run.runId,
      state: run.state,
      expectation: run.expectation,
      generations: generationTable(run),
      spent: spentTable(run),
      settings: settingsTable(run),
    })),
    paper: paperTables(runs),
  };
}

function figurePath(folder: string, { runId }: RunDigest, figure: string, type: 'svg' | 'png'): string {
  return resolve(folder, `${runId}-${figure}.${type}`);
}

/** The figure's file as the Markdown beside it names it. */
function figureBeside(
  markdown: string,
  { svg, png }: ReportOptions,
  run: RunDigest,
  figure: string,
): string | undefined {
  const path =
    svg !== undefined
      ? figurePath(svg, run, figure, 'svg')
      : png !== undefined
        ? figurePath(png, run, figure, 'png')
        : undefined;
  return path === undefined ? undefined : relative(dirname(markdown), path);
}

/** Twice the size of the drawing, on white. */
async function pngOf(svg: string): Promise<Uint8Array> {
  return sharp(Buffer.from(svg), { density: 144 }).flatten({ background: 'white' }).png().toBuffer();
}

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await writeFileAtomically(path, content).catch((cause: Error) => {
    throw new InputError(
      'REPORT_FILE',
      `the report's ${basename(path)} cannot be written to ${dirname(path)}: ${cause.message}; name another place`,
      false,
      { cause },
    );
  });
}
