import { formatCount, formatRate } from '../display/format.js';
import type { BenchReport, BenchRow, PopulationRow } from './report.js';

/** The report's tables as texts, for the terminal and for Markdown alike. */
export interface Table {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function networkTable({ rows }: BenchReport): Table {
  const besidePeer = rows.some(({ peer }) => peer !== null);
  const compiled = rows.some((row) => row.compiled);
  return {
    heading: [
      ...['network', 'batch', 'threads', 'images/s', 'ms/step', 'GFLOPS', 'of peak', 'MB'],
      ...(besidePeer ? ['PyTorch images/s', 'PyTorch MB', 'ratio', 'range'] : []),
      ...(compiled ? ['compiled images/s', 'ratio to it'] : []),
    ],
    rows: rows.map((row) => [
      ...[row.model, `${row.batch}`, `${row.threads}`, formatRate(row.imagesPerSecond), formatRate(row.msPerStep)],
      ...[row.gflops.toFixed(0), percent(row.peakShare), formatCount(Math.round(row.rssMb))],
      ...(besidePeer ? peerCells(row) : []),
      ...(compiled ? compiledCells(row) : []),
    ]),
  };
}

export function populationTable({ population }: BenchReport): Table {
  const besidePeer = population.some(({ ratio }) => ratio !== null);
  return {
    heading: [
      ...['population of', 'workers', 'threads each', 'images/s'],
      ...(besidePeer ? ['PyTorch images/s', 'ratio', 'range'] : []),
      'all splits (workers x threads: images/s)',
    ],
    rows: population.map((row) => [
      ...[row.model, `${row.workers}`, `${row.threads}`, formatRate(row.imagesPerSecond)],
      ...(besidePeer ? [rateOrDash(row.peerImagesPerSecond), ...ratioCells(row)] : []),
      row.splits.map((s) => `${s.workers} x ${s.threads}: ${formatRate(s.imagesPerSecond)}`).join(', '),
    ]),
  };
}

const peerCells = (row: BenchRow): string[] => [
  rateOrDash(row.peer?.imagesPerSecond ?? null),
  row.peer ? formatCount(Math.round(row.peer.rssMb)) : '-',
  ...ratioCells(row),
];

function ratioCells({ ratio, ratioRange }: Pick<PopulationRow, 'ratio' | 'ratioRange'>): string[] {
  if (ratio === null || ratioRange === null) return ['-', '-'];
  return [ratio.toFixed(2), ratioRange.map((end) => end.toFixed(2)).join('-')];
}

function compiledCells({ compiled }: BenchRow): string[] {
  if (!compiled) return ['-', '-'];
  if ('failed' in compiled) return ['does not work', '-'];
  return [formatRate(compiled.imagesPerSecond), compiled.ratio.toFixed(2)];
}

const rateOrDash = (rate: number | null) => (rate === null ? '-' : formatRate(rate));
export const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
