import { knownDataset, prepareDataset } from '@nesgd/core/datasets';
import { modelSpec, trainingFlops } from '@nesgd/core/models';
import type { Runtime } from '@nesgd/core/protocol';
import { type Experiment, listRuns, loadExperiment, readRun } from '@nesgd/core/run';
import { cacheFolder } from '@nesgd/core/storage';
import { chooseRuntime } from '../choose-runtime.js';
import { formatCount, formatDuration, formatRate } from '../display/format.js';
import type { Line } from '../display/line.js';
import { overridesFrom } from '../overrides.js';
import { checkCosts } from '../prepare-run.js';
import { staffFor } from '../staff-for.js';
import { workersFor } from '../workers-for.js';
import { workloadOf } from '../workload.js';
import type { Surroundings } from './access.js';
import type { RunOptions } from './run.js';

/** `nesgd run FILE --dry-run --json`. Upper bounds: genomes measured before are not trained again. */
export interface DryRun {
  readonly experiment: string;
  readonly method: string;
  readonly jobs: number;
  /** Networks trained, beside alpha. */
  readonly evaluations: number;
  /** Passes over the training images, alpha's among them. */
  readonly epochs: number;
  readonly estimatedSeconds: number;
  readonly trainImages: number;
  readonly workers: number;
  readonly engine: string;
  /** What the time goes by: of one worker, measured in an earlier run or stated. */
  readonly rate: { readonly imagesPerSecond: number; readonly from: string };
}

/** Sustained, of one thread; about half of what docs/benchmarks.md measures on a quiet machine. */
const STATED_GFLOPS = { tensorflow: 80, wasm: 25 } as const;

/**
 * Says what a run would cost and does nothing. The data is looked at only where nothing else says how many images there are.
 * @throws InputError as `run`, but for what only the data can tell.
 */
export async function dryRun(
  file: string,
  options: Pick<RunOptions, 'set' | 'data' | 'workers' | 'workersPerDevice' | 'engine' | 'device' | 'runs'>,
  { config, watch, signal }: Surroundings,
): Promise<DryRun> {
  const overrides = overridesFrom(options);
  const experiment = await loadExperiment(file, overrides);
  const { engine, workers: wantedWorkers } = options;
  const runtime = await chooseRuntime({ ...experiment.runtime, engine, workers: wantedWorkers }, config, watch);
  const { trainImages, imageShape, classes } = await imagesOf(experiment, async () => {
    const data = await prepareDataset(experiment.dataset, cacheFolder(config.cacheRoot).datasets, { signal });
    return { available: data.trainCount, imageShape: data.imageShape, classes: data.classNames.length };
  });
  checkCosts(experiment, trainImages);

  const spec = modelSpec(experiment.model.name, imageShape, classes);
  const stated = (STATED_GFLOPS[runtime.engine] * 1e9 * runtime.threads) / trainingFlops(spec);
  const rate = (await measuredRate(options.runs, experiment, runtime, imageShape)) ?? {
    imagesPerSecond: stated,
    from: `stated: ${STATED_GFLOPS[runtime.engine]} GFLOPS a thread`,
  };
  const workload = workloadOf(experiment, trainImages);
  const { workersPerDevice = experiment.runtime.workersPerDevice } = options;
  const staff = staffFor(runtime, { ...options, workersPerDevice }, config.env, () =>
    workersFor({ experiment, runtime, spec, trainImages }, watch),
  );
  const workers = Math.max(1, staff.workers);
  const { alphaEpochs, rounds, atOnce, epochsOfOne, epochs, evaluations, jobs } = workload;
  // A round ends with its last network; with a budget the last round is cut short.
  const inTurn = Math.min(rounds * Math.ceil(atOnce / workers) * epochsOfOne, epochs - alphaEpochs);
  return {
    experiment: experiment.name,
    method: experiment.method.name,
    jobs,
    evaluations,
    epochs,
    estimatedSeconds: Math.round(((alphaEpochs + inTurn) * trainImages) / rate.imagesPerSecond),
    trainImages,
    workers,
    engine: runtime.engine,
    rate: { ...rate, imagesPerSecond: Math.round(rate.imagesPerSecond * 10) / 10 },
  };
}

async function imagesOf(
  { dataset }: Experiment,
  look: () => Promise<{ available: number; imageShape: readonly [number, number, number]; classes: number }>,
) {
  const { available, imageShape, classes } = publishedFacts(dataset) ?? statedFacts(dataset) ?? (await look());
  const taken = Math.min(dataset.trainImages ?? available, available);
  return { trainImages: taken - Math.round(taken * dataset.validationFraction), imageShape, classes };
}

function publishedFacts({ name }: Experiment['dataset']) {
  const known = knownDataset(name);
  return known && { available: known.trainCount, imageShape: known.imageShape, classes: known.classNames.length };
}

/** A custom set of which the experiment says enough. The number of classes hardly matters to what a step costs. */
function statedFacts({ trainImages, imageSize }: Experiment['dataset']) {
  if (trainImages === undefined || imageSize === undefined) return undefined;
  return { available: trainImages, imageShape: [imageSize, imageSize, 3] as const, classes: 10 };
}

/** Of the latest run in the folder that trained this network on such images with this runtime. */
async function measuredRate(
  runs: string,
  { model }: Experiment,
  runtime: Runtime,
  imageShape: readonly number[],
): Promise<DryRun['rate'] | undefined> {
  for (const runId of (await listRuns(runs)).reverse()) {
    const run = await readRun(runs, runId).catch(() => undefined); // A damaged one says nothing here.
    if (!run) continue;
    const { opened, lines } = run;
    const alike =
      opened.experiment.model.name === model.name &&
      opened.runtime.engine === runtime.engine &&
      opened.runtime.threads === runtime.threads &&
      opened.imageShape.join() === imageShape.join();
    if (!alike) continue;
    let [images, seconds] = [0, 0];
    for (const { fact, meta } of lines) {
      if (!('imagesTrained' in fact) || !meta.provenance) continue;
      images += fact.imagesTrained;
      seconds += meta.provenance.seconds;
    }
    if (images > 0 && seconds > 0) return { imagesPerSecond: images / seconds, from: `measured in run ${runId}` };
  }
  return undefined;
}

export function dryRunLines(of: DryRun): Line[] {
  const { jobs, evaluations, epochs, estimatedSeconds, trainImages, workers, engine, rate } = of;
  return [
    [`${of.experiment}, method ${of.method}: nothing was run`],
    [
      `at most ${formatCount(jobs)} jobs: ${formatCount(evaluations)} networks trained, ${formatCount(epochs)} epochs of ${formatCount(trainImages)} images`,
    ],
    [`about ${formatDuration(1000 * estimatedSeconds)} with ${workers} workers, engine ${engine}`],
    [`at ${formatRate(rate.imagesPerSecond)} images/s of one worker (${rate.from})`],
  ];
}
