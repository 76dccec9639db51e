import type { MethodName } from '@nesgd/core/methods';
import type { EpochRecord } from '@nesgd/core/protocol';
import type { AlphaFact, FinishedFact, GenerationFact, JournalLine, OpenedFact, TestedFact } from '@nesgd/core/run';
import { readRun, runHolder } from '@nesgd/core/run';
import { type RunState, runState } from '@nesgd/core/view';
import { type ExpectedAndMeasured, expectedAndMeasured } from '../expectation.js';
import { type GenerationRow, generationRows } from '../status/generation-row.js';

/** All that a report says of a run, taken from its journal and from nothing else. Accuracies in [0, 1]. */
export interface RunDigest {
  readonly runId: string;
  readonly state: RunState;
  /** Why there is no network, and what to change, where the state is `diverged`. */
  readonly divergence: string | undefined;
  readonly opened: OpenedFact;
  readonly method: MethodName;
  readonly alpha: (AlphaFact & { readonly reused: boolean }) | undefined;
  /** In the order in which they arrived. */
  readonly individuals: readonly MeasuredIndividual[];
  /** The closed ones of a search over masks. */
  readonly generations: readonly GenerationFact[];
  /** What is left after each generation, or after each step of a method without masks. */
  readonly populations: readonly Population[];
  readonly rows: readonly GenerationRow[];
  /** The winner; before the end the leader of the last closed generation or step. */
  readonly best: { readonly label: string; readonly accuracy: number } | undefined;
  /** Published figures of the experiment beside measured ones, as far as the run has come. */
  readonly expectation: ExpectedAndMeasured | null;
  readonly test: { readonly alpha: number | undefined; readonly best: number | undefined };
  readonly spent: Spent;
}

export interface MeasuredIndividual {
  /** A mask, or what a method without masks calls the training. */
  readonly label: string;
  readonly accuracy: number;
  /** Empty for one that was measured and not trained. */
  readonly curve: readonly EpochRecord[];
  /** Epochs of training that its weights had behind them before the curve begins. */
  readonly epochsBefore: number;
  /** The generation or step that it was measured for; undefined while that is not closed. */
  readonly t: number | undefined;
}

export interface Population {
  readonly t: number;
  /** max - min of the members. */
  readonly nabla: number;
  readonly members: readonly { readonly label: string; readonly fitness: number }[];
}

export interface Spent {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly lastFactAt: string;
  /** Of trainers, all jobs together; those of a reused alpha are another run's. */
  readonly trainerSeconds: number;
  readonly jobs: number;
  readonly workers: readonly string[];
  /** Library, version and device, as workers said. */
  readonly engines: readonly string[];
  /** Kinds of processors and cards, where results depend on them. */
  readonly processors: readonly string[];
  readonly epochsTrained: number;
  readonly imagesTrained: number;
  /** Individuals, or a rival's networks, that were given up: every worker that tried them died. */
  readonly givenUp: number;
  /** Individuals that closed generations asked for, and those of them whose accuracy was known. */
  readonly evaluations: number;
  readonly cacheHits: number;
}

/** @throws InputError for an unknown run, and for a damaged journal with its file and line. */
export async function readDigest(runsFolder: string, runId: string): Promise<RunDigest> {
  // First the holder: a run that finishes in between has released it, and its journal says so.
  const holder = await runHolder(runsFolder, runId);
  const { lines, opened } = await readRun(runsFolder, runId);
  return digestOf(lines, opened, holder !== undefined);
}

/** @param held a living process works on the run. */
export function digestOf(lines: readonly JournalLine[], opened: OpenedFact, held: boolean): RunDigest {
  const facts = lines.map((line) => line.fact);
  const finished = facts.find((fact): fact is FinishedFact => fact.type === 'finished');
  const generations = facts.filter((fact): fact is GenerationFact => fact.type === 'generation');
  const rows = generationRows(lines, opened);
  const tested = (which: TestedFact['which']) => {
    const fact = facts.find((f) => f.type === 'tested' && f.which === which);
    return fact?.type === 'tested' ? fact.accuracy : undefined;
  };
  return {
    runId: opened.runId,
    state: runState(facts, held),
    divergence: facts.find((fact) => fact.type === 'diverged')?.reason,
    opened,
    method: opened.experiment.method.name,
    alpha: alphaOf(lines),
    individuals: individualsOf(lines, opened),
    generations,
    populations: populationsOf(lines, rows),
    rows,
    best: bestOf(lines, finished),
    expectation: expectedAndMeasured(opened.experiment.expectation, facts),
    test: { alpha: tested('alpha'), best: tested('best') },
    spent: spentBy(lines, rows),
  };
}

function alphaOf(lines: readonly JournalLine[]): RunDigest['alpha'] {
  const line = lines.find(({ fact }) => fact.type === 'alpha');
  return line?.fact.type === 'alpha' ? { ...line.fact, reused: line.meta.reused ?? false } : undefined;
}

/** An individual's fact stands before that of the generation or step it was measured for. */
function individualsOf(lines: readonly JournalLine[], { experiment }: OpenedFact): MeasuredIndividual[] {
  const alpha = lines.find(({ fact }) => fact.type === 'alpha')?.fact;
  const alphaEpochs = alpha?.type === 'alpha' ? alpha.curve.length : 0;
  let t: number | undefined;
  const backwards = [...lines].reverse().flatMap(({ fact }): MeasuredIndividual[] => {
    if (fact.type === 'generation' || fact.type === 'step') t = fact.t;
    if (fact.type !== 'evaluated' && fact.type !== 'trained') return [];
    const { accuracy, curve } = fact;
    const earlier = fact.type === 'trained' ? epochsOfEarlierRounds(fact.round, experiment.method) : 0;
    const label = fact.type === 'evaluated' ? fact.mask : fact.id;
    return [{ label, accuracy, curve, epochsBefore: alphaEpochs + earlier, t }];
  });
  return backwards.reverse();
}

/** Two methods train their networks on from round to round; every second round of ESGD trains nothing. */
function epochsOfEarlierRounds(round: number, method: OpenedFact['experiment']['method']): number {
  if (method.name === 'pbt') return (round - 1) * method.pbt.epochs;
  if (method.name === 'esgd') return Math.floor(round / 2) * method.esgd.epochs;
  return 0;
}

function populationsOf(lines: readonly JournalLine[], rows: readonly GenerationRow[]): Population[] {
  return lines.flatMap(({ fact }): Population[] => {
    if (fact.type !== 'generation' && fact.type !== 'step') return [];
    const members =
      fact.type === 'generation'
        ? fact.parents.map(({ mask, fitness }) => ({ label: mask.join(''), fitness }))
        : fact.population.map(({ id, accuracy }) => ({ label: id, fitness: accuracy }));
    const row = rows.find(({ t }) => t === fact.t);
    return row && members.length > 0 ? [{ t: fact.t, nabla: row.nabla, members }] : [];
  });
}

function bestOf(lines: readonly JournalLine[], finished: FinishedFact | undefined): RunDigest['best'] {
  const last = lines.map(({ fact }) => fact).findLast(({ type }) => type === 'generation' || type === 'step');
  if (last?.type === 'step') return last.best ? { label: last.best.id, accuracy: last.best.accuracy } : undefined;
  if (finished) return { label: finished.best.mask, accuracy: finished.best.accuracy };
  return last?.type === 'generation' ? { label: last.best.mask.join(''), accuracy: last.best.fitness } : undefined;
}

function spentBy(lines: readonly JournalLine[], rows: readonly GenerationRow[]): Spent {
  const provenances = lines.flatMap(({ meta }) => meta.provenance ?? []);
  const trained = lines.flatMap(({ fact }) =>
    fact.type === 'alpha' || fact.type === 'evaluated' || fact.type === 'trained' ? [fact] : [],
  );
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const unique = (texts: readonly string[]) => [...new Set(texts)].sort();
  return {
    startedAt: lines[0]?.meta.at ?? '',
    lastFactAt: lines.at(-1)?.meta.at ?? '',
    trainerSeconds: sum(provenances.map(({ seconds }) => seconds)),
    jobs: provenances.length,
    workers: unique(provenances.map(({ worker }) => worker)),
    engines: unique(provenances.map(({ engine }) => engine)),
    processors: unique(provenances.flatMap(({ processor }) => processor ?? [])),
    epochsTrained: sum(trained.map(({ curve }) => curve.length)),
    imagesTrained: sum(trained.map(({ imagesTrained }) => imagesTrained)),
    givenUp: lines.filter(({ fact }) => fact.type === 'failed' || (fact.type === 'trained' && fact.failed)).length,
    evaluations: sum(rows.map(({ evaluated, cacheHits }) => evaluated + cacheHits)),
    cacheHits: sum(rows.map(({ cacheHits }) => cacheHits)),
  };
}
