import {
  type EvaluationContext,
  type Generation,
  type Individual,
  type Mask,
  maskToString,
  neSgd,
} from '@nesgd/core/evolution';
import { type MethodName, usesAlpha } from '@nesgd/core/methods';
import {
  type EvaluatedFact,
  type Fact,
  type JournalLine,
  type OpenedFact,
  parseExperiment,
  type TrainedFact,
} from '@nesgd/core/run';
import { digestOf, type RunDigest } from './run-digest.js';

const SHA = '0'.repeat(64);
/** Another alpha for another shift. */
const alphaWeights = (shift: number): string => String(Math.round(1000 + 1000 * shift)).padStart(64, '0');
const BLOCKS = ['stem', 'layer1.0', 'layer2.0', 'layer3.0', 'layer4.0', 'head'];

interface ExampleOptions {
  readonly runId?: string;
  readonly dataset?: Record<string, unknown>;
  readonly model?: string;
  readonly evolution?: Record<string, unknown>;
  readonly classNames?: readonly string[];
  /** Lines to keep, to have a run that is not finished. */
  readonly until?: (fact: Fact) => boolean;
  readonly method?: MethodName;
  readonly fitness?: 'validation' | 'test';
  readonly expectation?: Record<string, unknown>;
  /** Keys of the experiment, over what it has. */
  readonly experiment?: Record<string, unknown>;
  /** Of a method without masks: one round of one training. */
  readonly single?: true;
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
  const facts: Fact[] = [opened, { type: 'alpha', ...measured(0.9 + shift, 4), weights: alphaWeights(shift) }];
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
  return linesOf(facts.slice(0, end));
}

function linesOf(facts: readonly Fact[]): JournalLine[] {
  return facts.map((fact, seq) => ({
    seq,
    fact,
    meta: {
      at: new Date(Date.UTC(2026, 0, 31, 12, 0, seq)).toISOString(),
      ...(fact.type === 'evaluated' && {
        provenance: { worker: `worker-${seq % 2}`, engine: 'an engine 1.2', processor: 'a processor', seconds: 1.5 },
      }),
    },
  }));
}

export async function exampleDigest(options: ExampleOptions = {}): Promise<RunDigest> {
  const lines = await exampleJournal(options);
  return digestOf(lines, lines[0]!.fact as OpenedFact, false);
}

/** A method without masks: two rounds of two trainings. */
export async function exampleRivalJournal(method: MethodName, options: ExampleOptions = {}): Promise<JournalLine[]> {
  const opened = openedFact({ ...options, method });
  const trained = (id: string, round: number, accuracy: number): TrainedFact => ({
    type: 'trained',
    round,
    id,
    ...measured(accuracy, 2),
  });
  const member = (id: string, accuracy: number) => ({ id, accuracy, weights: SHA });
  const secondRound = method === 'esgd' ? 3 : 2; // Its second round would recombine.
  const rounds: Fact[] = [
    trained('a-1', 1, 0.9),
    trained('a-2', 1, 0.92),
    { type: 'step', t: 1, population: [member('a-1', 0.9), member('a-2', 0.92)], best: member('a-2', 0.92) },
    trained('b-1', secondRound, 0.94),
    trained('b-2', secondRound, 0.91),
    { type: 'step', t: 2, population: [member('b-1', 0.94), member('a-2', 0.92)], best: member('b-1', 0.94) },
  ];
  const lone: Fact[] = [
    trained('b-1', 1, 0.94),
    { type: 'step', t: 1, population: [member('b-1', 0.94)], best: member('b-1', 0.94) },
  ];
  const facts: Fact[] = [
    opened,
    ...(usesAlpha(method) ? [{ type: 'alpha' as const, ...measured(0.9, 4), weights: SHA }] : []),
    ...(options.single ? lone : rounds),
    { type: 'tested', which: 'best', weights: SHA, accuracy: 0.935 },
    {
      type: 'finished',
      best: { mask: '0'.repeat(BLOCKS.length), accuracy: 0.94, testAccuracy: 0.935, weights: SHA },
      alpha: null,
      generations: options.single ? 1 : 2,
      evaluations: options.single ? 1 : 4,
      cacheHits: 0,
      epochsTrained: options.single ? 2 : 8,
      imagesTrained: options.single ? 2000 : 8000,
    },
  ];
  return linesOf(facts);
}

export async function exampleRival(method: MethodName, options: ExampleOptions = {}): Promise<RunDigest> {
  const lines = await exampleRivalJournal(method, options);
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
  method = 'ne-sgd',
  fitness = 'validation',
  expectation,
  experiment: changes,
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
      method: { name: method, pbt: { epochs: 2 }, esgd: { epochs: 2 } },
      fitness,
      ...(expectation && { expectation }),
      ...changes,
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
