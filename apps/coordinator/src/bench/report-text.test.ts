import { describe, expect, it } from 'vitest';
import { printLine } from '../display/line.js';
import type { BenchReport, BenchRow } from './report.js';
import { reportLines, reportMarkdown } from './report-text.js';

const row = (changes: Partial<BenchRow>): BenchRow => ({
  model: 'resnet18',
  engine: 'tensorflow',
  batch: 128,
  threads: 2,
  imagesPerSecond: 110,
  msPerStep: 1163.6,
  gflops: 366,
  peakShare: 0.796,
  rssMb: 1500.4,
  peer: { name: 'PyTorch 2.15.0 (eager, channels_last)', imagesPerSecond: 100, rssMb: 1600 },
  ratio: 1.1,
  ratioRange: [1.05, 1.2],
  ...changes,
});

const report: BenchReport = {
  machine: {
    processor: 'A Processor',
    cores: 2,
    memoryGb: 24,
    os: 'Linux 6',
    loadAtStart: 0.04,
    date: '2026-01-31',
    matmulGflops: 460,
  },
  versions: { node: 'Node 20', tensorflow: 'TensorFlow 2.21.0', torch: 'PyTorch 2.15.0' },
  rows: [row({}), row({ model: 'resnet20', imagesPerSecond: 1200, ratio: 0.98, ratioRange: [0.9, 1] })],
  population: [
    {
      model: 'resnet20',
      workers: 2,
      threads: 1,
      imagesPerSecond: 1300,
      peerImagesPerSecond: 1000,
      ratio: 1.3,
      ratioRange: [1.25, 1.35],
      splits: [
        { workers: 2, threads: 1, imagesPerSecond: 1310 },
        { workers: 1, threads: 2, imagesPerSecond: 1200 },
      ],
    },
  ],
  geomeanRatio: 1.038,
};
const text = (of: BenchReport) => reportLines(of).map((line) => printLine(line, false));

describe('what nesgd bench says', () => {
  it('has a line for each network and population, with every figure', () => {
    expect(text(report)[1]).toMatch(/resnet18 +128 +2 +110 +1,164 +366 +80 % +1,500 +100 +1,600 +1\.10 +1\.05-1\.20$/);
    expect(text(report)).toContainEqual(
      expect.stringMatching(/resnet20 +2 +1 +1,300 +1,000 +1\.30 +1\.25-1\.35 +2 x 1: 1,310, 1 x 2: 1,200$/),
    );
  });

  it('says of each bar whether it is met, by the figure and not by its rounding', () => {
    const bars = text(report).filter((line) => /^(met|missed)/.test(line));
    expect(bars).toEqual([
      'missed lowest ratio 0.98, of resnet20 (bar 1.00)',
      'missed geometric mean of the ratios 1.04 (bar 1.20)',
      'missed resnet18 at 80 % of the rate of large matrix products (bar 80 %)',
      "met    resnet18 in 1500 MB (bar: PyTorch's 1600 MB)",
      'met    a population of resnet20 at 1.30 times PyTorch (bar 1.30)',
    ]);
  });

  it('without a peer it compares with none', () => {
    const alone = { ...report, rows: [row({ peer: null, ratio: null, ratioRange: null })], population: [] };
    const lines = text({ ...alone, geomeanRatio: null });
    expect(lines.filter((line) => !line.includes('2026'))).not.toContainEqual(expect.stringMatching(/PyTorch|ratio/));
  });

  it('engine wasm has a bar of its own, beside PyTorch or not', () => {
    const of = (gflops: number) => ({
      ...report,
      rows: [row({ engine: 'wasm', model: 'resnet20', gflops, threads: 1 })],
    });
    const bars = (gflops: number) => text(of(gflops)).filter((line) => /^(met|missed)/.test(line));
    expect(bars(12)).toEqual(['met    resnet20 at 12.0 GFLOPS on one core (bar 12)']);
    expect(bars(11.99)).toEqual(['missed resnet20 at 12.0 GFLOPS on one core (bar 12)']);
  });

  it('a peer that does not compile is shown as that, with the reason', () => {
    const failed = { name: 'torch.compile', failed: 'no g++' };
    const of = { ...report, rows: [row({ compiled: failed })] };
    expect(text(of)[1]).toMatch(/does not work +-$/);
    expect(text(of)).toContain('resnet18: torch.compile does not work here: no g++');
    expect(reportMarkdown(of)).toContain('\n- resnet18: torch.compile does not work here: no g++\n');
  });

  it('what could not be measured stands below, with the reason', () => {
    const of = { ...report, failed: [{ what: 'densenet121', reason: 'out of memory' }] };
    expect(text(of)).toContain('densenet121 was not measured: out of memory');
    expect(reportMarkdown(of)).toContain('\n- densenet121 was not measured: out of memory\n');
  });

  it('a peer that was compiled stands beside the eager one, where it was measured', () => {
    const compiled = { name: 'torch.compile', imagesPerSecond: 125, rssMb: 1700, ratio: 0.88 };
    const of = { ...report, rows: [row({ compiled }), row({ model: 'nin' })] };
    expect(text(of)[0]).toMatch(/range +compiled images\/s +ratio to it$/);
    expect(text(of)[1]).toMatch(/1\.05-1\.20 +125 +0\.88$/);
    expect(reportMarkdown(of)).toContain('| range | compiled images/s | ratio to it |');
    expect(reportMarkdown(of)).toMatch(/\| resnet18 .* \| 125 \| 0\.88 \|\n\| nin .* \| - \| - \|\n/);
  });

  it('reportMarkdown: the same tables, with machine and versions', () => {
    const markdown = reportMarkdown(report);
    expect(markdown).toContain(
      '| resnet18 | 128 | 2 | 110 | 1,164 | 366 | 80 % | 1,500 | 100 | 1,600 | 1.10 | 1.05-1.20 |',
    );
    expect(markdown).toContain('- **missed**: lowest ratio 0.98');
    expect(markdown).toContain(
      '2026-01-31; 2 x A Processor, 24 GB, Linux 6; Node 20; TensorFlow 2.21.0; PyTorch 2.15.0.',
    );
  });
});
