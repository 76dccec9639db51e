import { percent } from './cells.js';
import type { BenchReport } from './report.js';

/** What we hold ourselves to; a figure that misses its bar is no error. */
const BARS = { eachRatio: 1, geomeanRatio: 1.2, populationRatio: 1.3, resnet18PeakShare: 0.8, wasmGflops: 12 } as const;

export interface Bar {
  readonly met: boolean;
  /** Figure and bar in words. */
  readonly text: string;
}

/** Those that the report has figures for. */
export function barsOf(report: BenchReport): Bar[] {
  return report.rows.some(({ engine }) => engine === 'wasm') ? barsOfWasm(report) : barsOfTensorflow(report);
}

/** It runs anywhere, and is not asked to keep up with PyTorch. */
function barsOfWasm({ rows }: BenchReport): Bar[] {
  return rows
    .filter(({ model }) => model === 'resnet20')
    .map(({ gflops }) => ({
      text: `resnet20 at ${gflops.toFixed(1)} GFLOPS on one core (bar ${BARS.wasmGflops})`,
      met: gflops >= BARS.wasmGflops,
    }));
}

function barsOfTensorflow({ rows, population, geomeanRatio }: BenchReport): Bar[] {
  const bars: Bar[] = [];
  const add = (text: string, met: boolean) => bars.push({ text, met });
  const lowest = rows.flatMap(({ model, ratio }) => (ratio === null ? [] : [{ model, ratio }]));
  lowest.sort((a, b) => a.ratio - b.ratio);
  const [worst] = lowest;
  if (worst) {
    add(`lowest ratio ${worst.ratio.toFixed(2)}, of ${worst.model} (bar 1.00)`, worst.ratio >= BARS.eachRatio);
  }
  if (geomeanRatio !== null) {
    add(`geometric mean of the ratios ${geomeanRatio.toFixed(2)} (bar 1.20)`, geomeanRatio >= BARS.geomeanRatio);
  }
  const resnet18 = rows.find(({ model }) => model === 'resnet18');
  if (resnet18) {
    const { peakShare, rssMb, peer } = resnet18;
    add(
      `resnet18 at ${percent(peakShare)} of the rate of large matrix products (bar 80 %)`,
      peakShare >= BARS.resnet18PeakShare,
    );
    if (peer) {
      const [ours, theirs] = [rssMb.toFixed(0), peer.rssMb.toFixed(0)];
      add(`resnet18 in ${ours} MB (bar: PyTorch's ${theirs} MB)`, rssMb <= peer.rssMb);
    }
  }
  for (const { model, ratio } of population) {
    if (ratio === null) continue;
    add(`a population of ${model} at ${ratio.toFixed(2)} times PyTorch (bar 1.30)`, ratio >= BARS.populationRatio);
  }
  return bars;
}
