import { resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { usesAlpha } from '@nesgd/core/methods';
import type { EvaluatedFact, Fact, JournalLine, OpenedFact } from '@nesgd/core/run';
import { readRun, runHolder, runPath } from '@nesgd/core/run';
import { type RunState, runState } from '@nesgd/core/view';
import { type ControlState, readControlState } from '../control/control-state.js';
import { type GenerationRow, generationRows } from './generation-row.js';

/** What a journal says of a run; the shape of `nesgd status RUN_ID --json`. Accuracies in [0, 1]. */
export interface RunOverview {
  readonly runId: string;
  readonly folder: string;
  readonly state: RunState;
  /** Told to begin no job; true only while it is running. */
  readonly paused: boolean;
  /** Among runs that share workers: -100 to 100, the higher is served first. */
  readonly priority: number;
  /** Why there is no network, and what to change, where the state is `diverged`. */
  readonly divergence: string | null;
  /** The process that works on it. */
  readonly holder: { readonly pid: number; readonly host: string } | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly lastFactAt: string;
  readonly experiment: OpenedFact['experiment'];
  readonly runtime: OpenedFact['runtime'];
  readonly blocks: OpenedFact['blocks'];
  readonly alpha: AlphaOverview | null;
  readonly generations: readonly GenerationRow[];
  readonly best: BestOverview | null;
  /** Individuals retrained. */
  readonly evaluated: number;
  readonly imagesTrained: number;
  readonly workers: readonly WorkerOverview[];
}

export interface AlphaOverview {
  /** On the split that is fitness. */
  readonly accuracy: number;
  readonly testAccuracy: number | null;
  readonly epochs: number;
  /** Known from an earlier run. */
  readonly reused: boolean;
}

export interface BestOverview {
  readonly mask: string;
  readonly accuracy: number;
  readonly testAccuracy: number | null;
}

export interface WorkerOverview {
  readonly name: string;
  readonly jobs: number;
  /** Spent on them. */
  readonly seconds: number;
}

/** @throws InputError for an unknown run, and for a damaged journal with its file and line. */
export async function overviewOf(runsFolder: string, runId: string): Promise<RunOverview> {
  // First the holder: a run that finishes in between has released it, and its journal says so.
  const holder = await runHolder(runsFolder, runId);
  const { lines } = await readRun(runsFolder, runId);
  const control = await readControlState(runPath(runsFolder, runId));
  return overviewFrom(lines, { runsFolder, runId, holder, control });
}

/**
 * @param lines a journal as far as it goes.
 * @throws InputError where they do not begin as a run's journal does.
 */
export function overviewFrom(
  lines: readonly JournalLine[],
  {
    runsFolder,
    runId,
    holder,
    control,
  }: { runsFolder: string; runId: string; holder: RunOverview['holder'] | undefined; control: ControlState },
): RunOverview {
  const opened = lines[0]?.fact;
  const folder = resolve(runsFolder, runId);
  if (opened?.type !== 'opened')
    throw new InputError('JOURNAL', `${folder}: its journal does not start with the fact "opened"`);
  const facts = lines.map((line) => line.fact);
  const evaluated = facts.filter((fact) => fact.type === 'evaluated');
  const trained = facts.filter((fact) => fact.type === 'trained');
  const state = runState(facts, holder !== undefined);
  return {
    runId,
    folder,
    state,
    paused: control.paused && state === 'running',
    priority: control.priority,
    divergence: facts.find((fact) => fact.type === 'diverged')?.reason ?? null,
    holder: holder ? { pid: holder.pid, host: holder.host } : null,
    startedAt: lines[0]?.meta.at ?? '',
    lastFactAt: lines.at(-1)?.meta.at ?? '',
    experiment: opened.experiment,
    runtime: opened.runtime,
    blocks: opened.blocks,
    alpha: alphaOf(lines),
    generations: generationRows(lines, opened),
    best: bestOf(lines, evaluated, opened),
    evaluated: evaluated.length + trained.length,
    imagesTrained: facts.reduce((sum, fact) => sum + trainedFor(fact), 0),
    workers: workersOf(lines),
  };
}

function alphaOf(lines: readonly JournalLine[]): AlphaOverview | null {
  const line = lines.find(({ fact }) => fact.type === 'alpha');
  if (line?.fact.type !== 'alpha') return null;
  const { accuracy, curve } = line.fact;
  return { accuracy, testAccuracy: testOf(lines, 'alpha'), epochs: curve.length, reused: line.meta.reused ?? false };
}

/** The winner; before the end the leader of the last closed generation, before that the best measured so far. */
function bestOf(
  lines: readonly JournalLine[],
  evaluated: readonly EvaluatedFact[],
  { experiment, blocks }: OpenedFact,
): BestOverview | null {
  const last = lines.findLast(({ fact }) => ['finished', 'generation', 'step'].includes(fact.type));
  if (last?.fact.type === 'finished') {
    const { mask, accuracy, testAccuracy } = last.fact.best;
    return { mask, accuracy, testAccuracy };
  }
  const testAccuracy = testOf(lines, 'best');
  if (last?.fact.type === 'generation') {
    const { best } = last.fact;
    return { mask: best.mask.join(''), accuracy: best.fitness, testAccuracy };
  }
  if (last?.fact.type === 'step' && last.fact.best) {
    const mask = (usesAlpha(experiment.method.name) ? '1' : '0').repeat(blocks.length);
    return { mask, accuracy: last.fact.best.accuracy, testAccuracy };
  }
  const [leader] = [...evaluated].sort((a, b) => b.accuracy - a.accuracy);
  return leader ? { mask: leader.mask, accuracy: leader.accuracy, testAccuracy } : null;
}

function testOf(lines: readonly JournalLine[], which: 'alpha' | 'best'): number | null {
  const line = lines.find(({ fact }) => fact.type === 'tested' && fact.which === which);
  return line?.fact.type === 'tested' ? line.fact.accuracy : null;
}

function trainedFor(fact: Fact): number {
  return fact.type === 'alpha' || fact.type === 'evaluated' || fact.type === 'trained' ? fact.imagesTrained : 0;
}

function workersOf(lines: readonly JournalLine[]): WorkerOverview[] {
  const workers = new Map<string, WorkerOverview>();
  for (const { meta } of lines) {
    if (!meta.provenance) continue;
    const { worker: name, seconds } = meta.provenance;
    const { jobs, seconds: before } = workers.get(name) ?? { jobs: 0, seconds: 0 };
    workers.set(name, { name, jobs: jobs + 1, seconds: before + seconds });
  }
  return [...workers.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}
