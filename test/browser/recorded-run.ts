import { type Individual, type Mask, maskToString, neSgd, type Rng, rngAt } from '@nesgd/core/evolution';
import type { EpochRecord, Provenance } from '@nesgd/core/protocol';
import {
  alphaTrainingOf,
  createRun,
  JOURNAL_VERSION,
  type Journal,
  type OpenedFact,
  parseExperiment,
  type RunFolder,
  retrainingOf,
} from '@nesgd/core/run';

export interface RecordedRun {
  readonly runId: string;
  readonly blocks?: readonly string[];
  readonly populationSize?: number;
  readonly generations?: number;
  /** Epochs of alpha; a retraining has half of them. */
  readonly epochs?: number;
  readonly workers?: readonly string[];
  /** Closes this many generations and stops there; else the run is finished. */
  readonly stopAfter?: number;
  /** A rival of NE-SGD: then only `beginRun` serves. */
  readonly method?: string;
}

/**
 * Writes a run as a coordinator does, through the same journal and the real algorithm, but with accuracies from a toy:
 * thousands of individuals in a second. Everything that a page shows of it is compared with the journal it leaves.
 */
export async function recordRun(runsFolder: string, options: RecordedRun): Promise<void> {
  const run = await beginRun(runsFolder, options);
  try {
    await conduct(run, options);
  } finally {
    await run.close();
  }
}

/** The run with its opening fact alone, held by this process. */
export async function beginRun(runsFolder: string, options: RecordedRun): Promise<RunFolder> {
  const { runId, blocks = BLOCKS, populationSize = 6, generations = 3, epochs = 4, method = 'ne-sgd' } = options;
  const experiment = parseExperiment(
    {
      name: 'recorded',
      seed: 3,
      dataset: { name: 'mnist', trainImages: 600 },
      model: { name: 'resnet8' },
      method: { name: method },
      alpha: { epochs, learningRate: 0.1 },
      retrain: { epochs: Math.max(1, epochs >> 1), learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution: { populationSize, generations, initialRetainProbability: 0.6 },
    },
    'the recorded run',
  );
  const opened: OpenedFact = {
    type: 'opened',
    version: JOURNAL_VERSION,
    runId,
    experiment,
    runtime: { engine: 'wasm', threads: 1 },
    data: {
      dataset: 'a'.repeat(64),
      trainImages: 600,
      testImages: null,
      validationFraction: 0.1,
      augmentation: { padCrop: 0, horizontalFlip: false },
    },
    imageShape: [28, 28, 1],
    classNames: ['0', '1'],
    blocks: blocks.map((name, i) => ({ name, parameters: 100 * (i + 1) })),
  };
  return createRun(runsFolder, opened);
}

const BLOCKS = ['stem', 'block 1', 'block 2', 'block 3', 'block 4', 'head'];
const IMAGES = 540;

async function conduct(run: RunFolder, { workers = ['worker-1', 'worker-2'], stopAfter }: RecordedRun): Promise<void> {
  const { journal, opened } = run;
  const { experiment, blocks } = opened;
  const alphaEpochs = alphaTrainingOf(experiment).epochs;
  const { epochs } = retrainingOf(experiment);
  const alpha = training(rngAt(1, 'alpha'), alphaEpochs, 0.2, 0.7);
  await journal.append(
    { type: 'alpha', ...alpha, weights: 'b'.repeat(64), imagesTrained: IMAGES * alphaEpochs },
    { provenance: provenance(workers, 0) },
  );
  const params = { seed: experiment.seed, genomeLength: blocks.length, ...experiment.evolution };
  const known = new Map<string, number>();
  const evaluate = async (masks: readonly Mask[]): Promise<Individual[]> => {
    const appended = masks.map((mask) => appendEvaluated(journal, mask, known, epochs, workers));
    await Promise.all(appended);
    return masks.map((mask) => ({ mask, fitness: known.get(maskToString(mask)) as number }));
  };
  let best: Individual | undefined;
  for await (const generation of neSgd(params, evaluate)) {
    await journal.append({ type: 'generation', ...generation });
    best = generation.best;
    if (generation.t === stopAfter) return;
  }
  if (!best) throw new Error('no generation');
  await finish(journal, alpha.accuracy, best, known.size, epochs);
}

async function appendEvaluated(
  journal: Journal,
  mask: Mask,
  known: Map<string, number>,
  epochs: number,
  workers: readonly string[],
): Promise<void> {
  const text = maskToString(mask);
  if (known.has(text)) return;
  const kept = mask.reduce<number>((sum, bit, i) => sum + bit * (i % 3 === 0 ? 2 : 1), 0) / (mask.length * 1.4);
  const result = training(rngAt(2, text), epochs, 0.55, 0.65 + 0.1 * kept);
  known.set(text, result.accuracy);
  await journal.append(
    { type: 'evaluated', mask: text, repeat: 0, ...result, weights: null, imagesTrained: IMAGES * epochs },
    { provenance: provenance(workers, known.size) },
  );
}

function training(rng: Rng, epochs: number, from: number, to: number): { accuracy: number; curve: EpochRecord[] } {
  const curve = Array.from({ length: epochs }, (_, i): EpochRecord => {
    const progress = 1 - Math.exp((-3 * (i + 1)) / epochs);
    const accuracy = Math.round(1e4 * (from + (to - from) * progress + 0.01 * rng.normal())) / 1e4;
    return { epoch: i + 1, trainLoss: 2 * (1 - progress) + 0.1, accuracy: Math.min(1, Math.max(0, accuracy)) };
  });
  return { accuracy: curve.at(-1)?.accuracy ?? 0, curve };
}

function provenance(workers: readonly string[], i: number): Provenance {
  return { worker: workers[i % workers.length] ?? 'worker', engine: 'wasm', seconds: 1 + (i % 7) / 10 };
}

async function finish(journal: Journal, alpha: number, best: Individual, evaluated: number, epochs: number) {
  const weights = { alpha: 'b'.repeat(64), best: 'c'.repeat(64) };
  await journal.append({ type: 'tested', which: 'alpha', weights: weights.alpha, accuracy: 0.6912 });
  await journal.append({ type: 'tested', which: 'best', weights: weights.best, accuracy: 0.7034 });
  await journal.append({
    type: 'finished',
    best: { mask: maskToString(best.mask), accuracy: best.fitness, testAccuracy: 0.7034, weights: weights.best },
    alpha: { accuracy: alpha, testAccuracy: 0.6912 },
    generations: 1,
    evaluations: evaluated,
    cacheHits: 0,
    epochsTrained: evaluated * epochs,
    imagesTrained: evaluated * epochs * IMAGES,
  });
}
