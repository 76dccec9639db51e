import { knownDataset, prepareDataset } from '@nesgd/core/datasets';
import { type ModelSpec, modelSpec, trainingFlops } from '@nesgd/core/models';
import { type Device, meansOf, type Runtime, sameRuntime } from '@nesgd/core/protocol';
import { type Experiment, listRuns, loadExperiment, type OpenedFact, readRun } from '@nesgd/core/run';
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
  /** Null where no rate is known. */
  readonly estimatedSeconds: number | null;
  readonly trainImages: number;
  readonly workers: number;
  readonly engine: string;
  readonly device: Device;
  /** What the time goes by: of one worker, measured in an earlier run or stated. Null: a card that no earlier run tells of. */
  readonly rate: Rate | null;
}

interface Rate {
  readonly imagesPerSecond: number;
  readonly from: string;
}

/** Sustained, of one thread of a processor; about half of what docs/benchmarks.md measures on a quiet machine. */
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
  const { workersPerDevice = experiment.runtime.workersPerDevice } = options;
  const measured = await measuredRate(options.runs, { experiment, runtime, imageShape, workersPerDevice });
  const rate = measured ?? statedRate(runtime, spec);
  const workload = workloadOf(experiment, trainImages);
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
    estimatedSeconds: rate && Math.round(((alphaEpochs + inTurn) * trainImages) / rate.imagesPerSecond),
    trainImages,
    workers,
    engine: runtime.engine,
    device: meansOf(runtime).device,
    rate: rate && { ...rate, imagesPerSecond: Math.round(rate.imagesPerSecond * 10) / 10 },
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

/** Operations of a network say how long a processor takes; cards are too unlike, so of those nothing is stated. */
function statedRate(runtime: Runtime, spec: ModelSpec): Rate | null {
  if (runtime.device === 'gpu') return null;
  const gflops = STATED_GFLOPS[runtime.engine];
  return {
    imagesPerSecond: (gflops * 1e9 * runtime.threads) / trainingFlops(spec),
    from: `stated: ${gflops} GFLOPS a thread`,
  };
}

interface Measurable {
  readonly experiment: Experiment;
  readonly runtime: Runtime;
  readonly imageShape: readonly number[];
  readonly workersPerDevice: number | undefined;
}

/** Of the latest run in the folder that trained this network on such images with this runtime. */
async function measuredRate(runs: string, wanted: Measurable): Promise<Rate | null> {
  for (const runId of (await listRuns(runs)).reverse()) {
    const run = await readRun(runs, runId).catch(() => undefined); // A damaged one says nothing here.
    if (!run || !isAlike(run.opened, wanted)) continue;
    let [images, seconds] = [0, 0];
    for (const { fact, meta } of run.lines) {
      if (!('imagesTrained' in fact) || !meta.provenance) continue;
      images += fact.imagesTrained;
      seconds += meta.provenance.seconds;
    }
    if (images > 0 && seconds > 0) return { imagesPerSecond: images / seconds, from: `measured in run ${runId}` };
  }
  return null;
}

function isAlike(opened: OpenedFact, { experiment, runtime, imageShape, workersPerDevice = 1 }: Measurable): boolean {
  const { workersPerDevice: shared = 1 } = opened.experiment.runtime;
  return (
    opened.experiment.model.name === experiment.model.name &&
    sameRuntime(opened.runtime, runtime) &&
    (runtime.device !== 'gpu' || shared === workersPerDevice) &&
    opened.imageShape.join() === imageShape.join()
  );
}

export function dryRunLines(of: DryRun): Line[] {
  const { jobs, evaluations, epochs, estimatedSeconds, trainImages, workers, engine, device, rate } = of;
  const where = `with ${workers} ${workers === 1 ? 'worker' : 'workers'}, engine ${engine}${device === 'gpu' ? ' on cards' : ''}`;
  return [
    [`${of.experiment}, method ${of.method}: nothing was run`],
    [
      `at most ${formatCount(jobs)} jobs: ${formatCount(evaluations)} networks trained, ${formatCount(epochs)} epochs of ${formatCount(trainImages)} images`,
    ],
    ...(rate && estimatedSeconds !== null
      ? [
          [`about ${formatDuration(1000 * estimatedSeconds)} ${where}`],
          [`at ${formatRate(rate.imagesPerSecond)} images/s of one worker (${rate.from})`],
        ]
      : [
          [
            `how long it takes ${where} is not known: no run in the folder of runs trained this network on a card in this way; a short one measures it`,
          ],
        ]),
  ];
}
