import { epochsWithin } from '@nesgd/core/baselines';
import { NesgdError } from '@nesgd/core/errors';
import type { Evaluate, Individual, Mask } from '@nesgd/core/evolution';
import { maskToString } from '@nesgd/core/evolution';
import type { EvaluateJob } from '@nesgd/core/protocol';
import type { Dispatcher, EvaluatedFact, FailedFact, Journal } from '@nesgd/core/run';
import { inSpan } from '@nesgd/core/tracing';
import { type Budget, BudgetSpentError } from './budget.js';
import type { Watch } from './run-events.js';

/** What every measurement of a run needs. */
export interface Measuring {
  readonly journal: Journal;
  readonly dispatcher: Dispatcher;
  /** Alpha's weights: a fact names what else a mask was applied to. */
  readonly alpha: string;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

export interface JournalledEvaluateOptions extends Measuring {
  readonly makeJob: (individual: {
    mask: string;
    repeat: number;
    epochs: number;
    keepWeightsAbove: number | null;
    part?: { from: number; until: number };
  }) => EvaluateJob;
  /** Of one retraining. */
  readonly epochs: (generation: number) => number;
  /** Generations retrain differently (from another network, for longer), so nothing is known from an earlier one. */
  readonly forgets?: boolean;
  readonly generations: number;
  readonly budget?: Budget;
  /** How the new ones of a generation are measured, where not each by one whole training. */
  readonly inRungs?: (options: JournalledEvaluateOptions, question: Question) => Promise<void>;
}

/** The individuals that a generation asks for and that nobody has measured yet. */
export interface Question {
  /** Their keys, in the order in which they were asked for. */
  readonly wanted: readonly string[];
  readonly repeat: number;
  readonly generation: number;
  /** Individuals asked for, those that are known too. */
  readonly asked: number;
  /** What the journal has by now; answers are added. */
  readonly known: Map<string, Answer>;
  /** What the budget and jobs may depend on. */
  readonly before: ReadonlyMap<string, Answer>;
  readonly keepWeightsAbove: number | null;
}

/** What an individual came to: measured, or given up. */
export type Answer = EvaluatedFact | FailedFact;

/** Ends of a trainer rather than of a training: met by a genome again and again, they are the genome's doing. */
const ENDS_OF_TRAINERS = new Set(['TRAINER_DIED', 'TRAINER_HUNG', 'TRAINER_MEMORY', 'WASM_MEMORY', 'JOB_STALLED']);
const MAX_REASON_LENGTH = 500;

/**
 * The algorithm's `Evaluate` port on top of journal and workers: a genome measured before in this run answers from the
 * journal, the others become jobs, and each result is in the journal before the algorithm hears of it.
 *
 * An individual that every trainer died of, in as many attempts as the dispatcher makes, is given up: a fact as well,
 * and its fitness is 0. Not so where none of the run was measured yet: then it is the machines that are at fault.
 *
 * With a budget, individuals get their epochs in the order in which they were asked for, the last one what is left. A
 * generation of which every genome is known would cost nothing and could go on for ever; it is measured anew with fresh
 * draws, as the paper, which remembers nothing, measures all.
 * @throws BudgetSpentError where the budget did not last for all that was asked; what it lasted for is in the journal.
 */
export function journalledEvaluate(options: JournalledEvaluateOptions): Evaluate {
  const { journal, budget, forgets } = options;
  // What a job may depend on: the facts of closed generations, and what this generation asked for before. How far the
  // current question has been answered depends on the workers.
  let open = { generation: -1, keys: new Set<string>() };

  const evaluate: Evaluate = async (masks, { generation, again }) => {
    const known = answersIn(journal);
    const before = closedAnswers(journal);
    if (open.generation !== generation) open = { generation, keys: new Set() };
    for (const key of open.keys) before.set(key, known.get(key)!);

    const keysFor = (repeat: number) => masks.map((mask) => evaluationKey(maskToString(mask), repeat));
    const isNew = (key: string) => !before.has(key);
    const nothingNew = budget !== undefined && !again && !keysFor(0).some(isNew);
    const repeat = again || nothingNew || forgets ? generation : 0;
    const keys = keysFor(repeat);
    const wanted = [...new Set(keys.filter(isNew))];
    const keepWeightsAbove = bestOfClosedGenerations(journal);
    const question: Question = { wanted, repeat, generation, asked: masks.length, known, before, keepWeightsAbove };
    await (options.inRungs ? options.inRungs(options, question) : atOnce(options, question));
    if (wanted.some((key) => !known.has(key))) throw new BudgetSpentError();
    for (const key of wanted) open.keys.add(key);
    return masks.map((mask, i) => individual(mask, known.get(keys[i]!)!));
  };
  return (masks, asked) => inSpan('generation', { 'nesgd.generation': asked.generation }, () => evaluate(masks, asked));
}

/** Each new individual has one training, all of them side by side. */
async function atOnce(options: JournalledEvaluateOptions, question: Question): Promise<void> {
  const { wanted, repeat, known, before, keepWeightsAbove } = question;
  const given = shareOut(wanted.length, before, options, options.epochs(question.generation));
  const affordable = wanted.flatMap((key, i) => (given[i]! > 0 ? [{ key, epochs: given[i]! }] : []));
  const missing = affordable.filter(({ key }) => !known.has(key));
  await measureAll(options, question, missing, async ({ key, epochs }) => {
    const evaluation = options.makeJob({ mask: maskOf(key), repeat, epochs, keepWeightsAbove });
    known.set(key, await measureIndividual(options, evaluation, epochs));
  });
}

/** Measures side by side; those that no trainer lived through are given up, in their order, when the others are done. */
export async function measureAll<T extends { readonly key: string }>(
  options: JournalledEvaluateOptions,
  { known, repeat, generation, asked }: Question,
  missing: readonly T[],
  measureOne: (individual: T) => Promise<void>,
): Promise<void> {
  const phase = { name: 'generation', t: generation, of: Math.max(generation, options.generations) } as const;
  options.watch({ type: 'phase', phase, total: missing.length, answered: asked - missing.length });
  const settled = await Promise.allSettled(missing.map(measureOne));
  // What the others measured is in the journal by now, and a resume will find it.
  const failures = settled.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [{ key: missing[i]!.key, error: outcome.reason as unknown }] : [],
  );
  const measuredAny = options.journal.lines.some(({ fact }) => fact.type === 'evaluated' || fact.type === 'rung');
  const fatal = failures.find(({ error }) => !measuredAny || options.signal.aborted || !endsTrainers(error));
  if (fatal) throw fatal.error;
  for (const { key, error } of failures) {
    known.set(key, await giveUp(options, { mask: maskOf(key), repeat }, error));
  }
}

/** Has a job done; its result is in the journal when this resolves. */
export async function measureIndividual(
  { journal, dispatcher, alpha, watch, signal }: Measuring,
  evaluation: EvaluateJob,
  epochs: number,
): Promise<EvaluatedFact> {
  const { mask, repeat } = evaluation;
  const job = { id: evaluationKey(mask, repeat), text: mask };
  const { result, provenance } = await dispatcher.dispatch(evaluation, {
    onStart: (worker) => watch({ type: 'job-started', job, worker }),
    onProgress: (worker, progress) => watch({ type: 'job-progress', job, worker, progress }),
    onRetry: (reason) => watch({ type: 'job-retried', job, reason }),
    signal,
  });
  const fact: EvaluatedFact = {
    type: 'evaluated',
    mask,
    repeat,
    ...(evaluation.alpha !== alpha && { base: evaluation.alpha }),
    ...(result.curve.length < epochs && { epochsGiven: epochs }),
    ...result,
  };
  await journal.append(fact, { provenance });
  const { accuracy } = result;
  watch({ type: 'job-done', job, worker: provenance.worker, accuracy, seconds: provenance.seconds });
  return fact;
}

/** The fact of an individual that no trainer lived through. */
export async function giveUp(
  { journal, watch }: Pick<Measuring, 'journal' | 'watch'>,
  { mask, repeat }: Pick<FailedFact, 'mask' | 'repeat'>,
  error: unknown,
): Promise<FailedFact> {
  const fact: FailedFact = { type: 'failed', mask, repeat };
  const reason = reasonOf(error);
  await journal.append(fact, { reason });
  watch({ type: 'notice', text: `individual ${mask} is given up and counts as the worst: ${reason}` });
  return fact;
}

/** Epochs of each new individual, in order. */
function shareOut(
  count: number,
  before: ReadonlyMap<string, Answer>,
  { budget }: Pick<JournalledEvaluateOptions, 'budget'>,
  epochs: number,
): number[] {
  return epochsWithin(new Array<number>(count).fill(epochs), imagesLeft(budget, before), budget?.imagesOf ?? (() => 0));
}

/** Of the budget, after what is known. */
export function imagesLeft(budget: Budget | undefined, before: ReadonlyMap<string, Answer>): number {
  if (!budget) return Number.POSITIVE_INFINITY;
  let left = budget.images - budget.alphaImages;
  for (const fact of before.values()) if (fact.type === 'evaluated') left -= fact.imagesTrained;
  return left;
}

/** Whether a genome may be given up for it. */
export function endsTrainers(error: unknown): boolean {
  return error instanceof NesgdError && ENDS_OF_TRAINERS.has(error.code);
}

/** Why something was given up, as its fact's `meta` says it. */
export function reasonOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).slice(0, MAX_REASON_LENGTH);
}

/** A genome may be measured again in a later generation (`reevaluateSurvivors`): the repeat tells them apart. */
export function evaluationKey(mask: string, repeat: number): string {
  return `${mask}/${repeat}`;
}

/** Of `evaluationKey`. */
export function maskOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** What is known of each individual; one that was given up and measured in a later attempt has been measured. */
export function answersIn(journal: Pick<Journal, 'lines'>): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const { fact } of journal.lines) {
    if (fact.type === 'evaluated' || fact.type === 'failed') answers.set(evaluationKey(fact.mask, fact.repeat), fact);
  }
  return answers;
}

function closedAnswers(journal: Journal): Map<string, Answer> {
  const lastClosed = journal.lines.findLastIndex(({ fact }) => fact.type === 'generation');
  return answersIn({ lines: journal.lines.slice(0, lastClosed + 1) });
}

export function evaluatedFacts(journal: Journal): EvaluatedFact[] {
  return [...answersIn(journal).values()].filter((fact) => fact.type === 'evaluated');
}

export function individual(mask: Mask, fact: Answer): Individual {
  return { mask, fitness: fact.type === 'failed' ? 0 : fact.accuracy };
}

/**
 * What weights have to beat to be worth storing. Only closed generations count: how far the current one has come
 * depends on the workers, and a job must not.
 */
function bestOfClosedGenerations(journal: Journal): number | null {
  let best: number | null = null;
  for (const fact of closedAnswers(journal).values()) {
    if (fact.type === 'evaluated' && (best === null || fact.accuracy > best)) best = fact.accuracy;
  }
  return best;
}
