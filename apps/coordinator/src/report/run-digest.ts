import type {
  AlphaFact,
  EvaluatedFact,
  FinishedFact,
  GenerationFact,
  JournalLine,
  OpenedFact,
  TestedFact,
} from '@nesgd/core/run';
import { readRun, runHolder } from '@nesgd/core/run';
import { type RunState, runState } from '@nesgd/core/view';
import { type GenerationRow, generationRows } from '../status/generation-row.js';

/** All that a report says of a run, taken from its journal and from nothing else. Accuracies in [0, 1]. */
export interface RunDigest {
  readonly runId: string;
  readonly state: RunState;
  readonly opened: OpenedFact;
  readonly alpha: (AlphaFact & { readonly reused: boolean }) | undefined;
  /** In the order in which they arrived. */
  readonly individuals: readonly MeasuredIndividual[];
  /** The closed ones. */
  readonly generations: readonly GenerationFact[];
  readonly rows: readonly GenerationRow[];
  /** The winner; before the end the leader of the last closed generation. */
  readonly best: { readonly mask: string; readonly accuracy: number } | undefined;
  readonly test: { readonly alpha: number | undefined; readonly best: number | undefined };
  readonly spent: Spent;
}

export interface MeasuredIndividual extends EvaluatedFact {
  /** The generation that it was measured for; undefined while that is not closed. */
  readonly t: number | undefined;
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
  readonly epochsTrained: number;
  readonly imagesTrained: number;
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
    opened,
    alpha: alphaOf(lines),
    individuals: individualsOf(lines),
    generations,
    rows,
    best: bestOf(finished, generations.at(-1)),
    test: { alpha: tested('alpha'), best: tested('best') },
    spent: spentBy(lines, rows),
  };
}

function alphaOf(lines: readonly JournalLine[]): RunDigest['alpha'] {
  const line = lines.find(({ fact }) => fact.type === 'alpha');
  return line?.fact.type === 'alpha' ? { ...line.fact, reused: line.meta.reused ?? false } : undefined;
}

/** An individual's fact stands before that of the generation it was measured for. */
function individualsOf(lines: readonly JournalLine[]): MeasuredIndividual[] {
  let t: number | undefined;
  const backwards = [...lines].reverse().flatMap(({ fact }): MeasuredIndividual[] => {
    if (fact.type === 'generation') t = fact.t;
    return fact.type === 'evaluated' ? [{ ...fact, t }] : [];
  });
  return backwards.reverse();
}

function bestOf(finished: FinishedFact | undefined, last: GenerationFact | undefined): RunDigest['best'] {
  if (finished) return { mask: finished.best.mask, accuracy: finished.best.accuracy };
  return last && { mask: last.best.mask.join(''), accuracy: last.best.fitness };
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
    epochsTrained: sum(trained.map(({ curve }) => curve.length)),
    imagesTrained: sum(trained.map(({ imagesTrained }) => imagesTrained)),
    evaluations: sum(rows.map(({ evaluated, cacheHits }) => evaluated + cacheHits)),
    cacheHits: sum(rows.map(({ cacheHits }) => cacheHits)),
  };
}
