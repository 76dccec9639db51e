import { green, type Line, yellow } from '../display/line.js';
import { tableLines } from '../display/table-lines.js';
import { barsOf } from './bars.js';
import { networkTable, populationTable, type Table } from './cells.js';
import type { BenchReport } from './report.js';

/** For a terminal. */
export function reportLines(report: BenchReport): Line[] {
  const tables = tablesOf(report).flatMap((table): Line[] => [...tableLines(table.heading, table.rows, 'right'), []]);
  const bars = barsOf(report).map(({ met, text }): Line => [met ? green('met    ') : yellow('missed '), text]);
  return [...tables, ...bars, ...[...failures(report), ...circumstances(report)].map((text): Line => [text])];
}

/** For docs/benchmarks.md. */
export function reportMarkdown(report: BenchReport): string {
  const tables = tablesOf(report).map(({ heading, rows }) =>
    [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
  );
  const bars = barsOf(report).map(({ met, text }) => `- ${met ? 'met' : '**missed**'}: ${text}`);
  const failed = failures(report).map((text) => `- ${text}`);
  return [...tables, [...bars, ...failed].join('\n'), circumstances(report).join('\n')].join('\n\n');
}

const tablesOf = (report: BenchReport): Table[] =>
  [networkTable(report), populationTable(report)].filter(({ rows }) => rows.length > 0);

const failures = ({ rows, failed = [] }: BenchReport): string[] => [
  ...failed.map(({ what, reason }) => `${what} was not measured: ${reason}`),
  ...rows.flatMap(({ model, compiled }) =>
    compiled && 'failed' in compiled ? [`${model}: ${compiled.name} does not work here: ${compiled.failed}`] : [],
  ),
];

function circumstances({ machine, versions }: BenchReport): string[] {
  const { date, processor, cores, memoryGb, os, loadAtStart, matmulGflops } = machine;
  return [
    `${date}; ${cores} x ${processor}, ${memoryGb} GB, ${os}; ${Object.values(versions).join('; ')}.`,
    `Large matrix products: ${matmulGflops.toFixed(0)} GFLOPS. Load average at the start: ${loadAtStart.toFixed(1)}.`,
  ];
}
