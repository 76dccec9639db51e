import {
  type EvaluationContext,
  type Generation,
  type Individual,
  type Mask,
  maskToString,
  neSgd,
} from '@nesgd/core/evolution';
import { type EvaluatedFact, type Fact, type JournalLine, type OpenedFact, parseExperiment } from '@nesgd/core/run';
import { digestOf, type RunDigest } from './run-digest.js';

const SHA = '0'.repeat(64);
const BLOCKS = ['stem', 'layer1.0', 'layer2.0', 'layer3.0', 'layer4.0', 'head'];

interface ExampleOptions {
  readonly runId?: string;
  readonly dataset?: Record<string, unknown>;
  readonly model?: string;
  readonly evolution?: Record<string, unknown>;
  readonly classNames?: readonly string[];
  /** Lines to keep, to have a run that is not finished. */
  readonly until?: (fact: Fact) => boolean;
  /** Added to every accuracy. */
  readonly shift?: number;
}

/**
 * A journal as a coordinator writes it, of a search by the real algorithm over masks whose accuracy is a formula: every
 * kept block counts, the last ones most.
 */
export async function exampleJournal(options: ExampleOptions = {}): Promise<JournalLine[]> {
  const { shift = 0 } = options;
  const opened = openedFact(options);
  const facts: Fact[] = [opened, { type: 'alpha', ...measured(0.9 + shift, 4), weights: SHA }];
  const known = new Map<string, EvaluatedFact>();
  const evaluate = async (masks: readonly Mask[], _: EvaluationContext): Promise<Individual[]> =>
    masks.map((mask) => {
      const text = maskToString(mask);
      const fact: EvaluatedFact = known.get(text) ?? {
        type: 'evaluated',
        mask: text,
        repeat: 0,
        ...measured(accuracyOf(mask) + shift, 2),
      };
      if (!known.has(text)) facts.push(fact);
      known.set(text, fact);
      return { mask, fitness: fact.accuracy };
    });
  let last: Generation | undefined;
  const params = { ...opened.experiment.evolution, seed: 1, genomeLength: BLOCKS.length };
  for await (const generation of neSgd(params, evaluate)) {
    facts.push({ type: 'generation', ...generation });
    last = generation;
  }
  const best = known.get(maskToString(last!.best.mask))!;
  const evaluations = opened.experiment.evolution.populationSize * (opened.experiment.evolution.generations + 1);
  facts.push(
    { type: 'tested', which: 'alpha', weights: SHA, accuracy: 0.8912 + shift },
    { type: 'tested', which: 'best', weights: SHA, accuracy: 0.9034 + shift },
    {
      type: 'finished',
      best: { mask: best.mask, accuracy: best.accuracy, testAccuracy: 0.9034 + shift, weights: SHA },
      alpha: { accuracy: 0.9 + shift, testAccuracy: 0.8912 + shift },
      generations: last!.t,
      evaluations,
      cacheHits: evaluations - known.size,
      epochsTrained: 4 + 2 * known.size,
      imagesTrained: 1000 * (4 + 2 * known.size),
    },
  );
  const end = options.until ? facts.findIndex((fact) => options.until!(fact)) + 1 : facts.length;
  return facts.slice(0, end).map((fact, seq) => ({
    seq,
    fact,
    meta: {
      at: new Date(Date.UTC(2026, 0, 31, 12, 0, seq)).toISOString(),
      ...(fact.type === 'evaluated' && {
        provenance: { worker: `worker-${seq % 2}`, engine: 'an engine 1.2', seconds: 1.5 },
      }),
    },
  }));
}

export async function exampleDigest(options: ExampleOptions = {}): Promise<RunDigest> {
  const lines = await exampleJournal(options);
  return digestOf(lines, lines[0]!.fact as OpenedFact, false);
}

function accuracyOf(mask: Mask): number {
  return mask.reduce<number>((sum, bit, i) => sum + (bit * (i + 1)) / 210, 0.8);
}

/** A curve that ends where it should. */
function measured(accuracy: number, epochs: number) {
  const curve = Array.from({ length: epochs }, (_, i) => ({
    epoch: i + 1,
    trainLoss: 1 / (i + 1),
    accuracy: accuracy - 0.02 * (epochs - 1 - i),
  }));
  return { accuracy, curve, weights: null, imagesTrained: 1000 * epochs };
}

function openedFact({
  runId = 'example',
  dataset,
  model,
  evolution,
  classNames = ['0', '1'],
}: ExampleOptions): OpenedFact {
  const experiment = parseExperiment(
    {
      name: 'example',
      seed: 1,
      dataset: { name: 'mnist', ...dataset },
      model: { name: model ?? 'resnet8' },
      alpha: { epochs: 4, learningRate: 0.1 },
      retrain: { epochs: 2, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution: { populationSize: 5, generations: 3, ...evolution },
    },
    'example',
  );
  return {
    type: 'opened',
    version: 1,
    runId,
    experiment,
    runtime: { engine: 'wasm', threads: 1 },
    data: {
      dataset: SHA,
      trainImages: experiment.dataset.trainImages ?? null,
      testImages: null,
      validationFraction: 0.1,
      augmentation: experiment.dataset.augmentation,
    },
    imageShape: [28, 28, 1],
    classNames: [...classNames],
    blocks: BLOCKS.map((name, i) => ({ name, parameters: 100 * 10 ** i })),
  };
}
