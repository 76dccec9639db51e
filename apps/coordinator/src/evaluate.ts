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
  }) => EvaluateJob;
  /** Of one retraining. */
  readonly epochs: (generation: number) => number;
  /** Generations retrain differently (from another network, for longer), so nothing is known from an earlier one. */
  readonly forgets?: boolean;
  readonly generations: number;
  readonly budget?: Budget;
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
  const { journal, makeJob, budget, forgets, watch, signal } = options;
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
    const epochs = shareOut(wanted.length, before, { budget, epochs: options.epochs(generation) });
    const affordable = wanted.flatMap((key, i) => (epochs[i]! > 0 ? [{ key, epochs: epochs[i]! }] : []));
    const missing = affordable
      .filter(({ key }) => !known.has(key))
      .map((individual) => ({ ...individual, mask: individual.key.slice(0, individual.key.indexOf('/')) }));
    const phase = { name: 'generation', t: generation, of: Math.max(generation, options.generations) } as const;
    watch({ type: 'phase', phase, total: missing.length, answered: masks.length - missing.length });

    const keepWeightsAbove = bestOfClosedGenerations(journal);
    const settled = await Promise.allSettled(
      missing.map(async ({ key, mask, epochs }) => {
        const evaluation = makeJob({ mask, repeat, epochs, keepWeightsAbove });
        known.set(key, await measureIndividual(options, evaluation, epochs));
      }),
    );
    // What the others measured is in the journal by now, and a resume will find it.
    const failures = settled.flatMap((outcome, i) =>
      outcome.status === 'rejected' ? [{ ...missing[i]!, error: outcome.reason as unknown }] : [],
    );
    const measuredAny = [...known.values()].some((fact) => fact.type === 'evaluated');
    const fatal = failures.find(({ error }) => !measuredAny || signal.aborted || !endsTrainers(error));
    if (fatal) throw fatal.error;
    for (const { key, mask, error } of failures) {
      known.set(key, await giveUp(options, { mask, repeat }, error));
    }
    if (affordable.length < wanted.length) throw new BudgetSpentError();
    for (const key of wanted) open.keys.add(key);
    return masks.map((mask, i) => individual(mask, known.get(keys[i]!)!));
  };
  return (masks, asked) => inSpan('generation', { 'nesgd.generation': asked.generation }, () => evaluate(masks, asked));
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
  { budget, epochs }: { budget: Budget | undefined; epochs: number },
): number[] {
  let spent = budget?.alphaImages ?? 0;
  for (const fact of before.values()) if (fact.type === 'evaluated') spent += fact.imagesTrained;
  const left = budget ? budget.images - spent : Number.POSITIVE_INFINITY;
  return epochsWithin(new Array<number>(count).fill(epochs), left, budget?.imagesOf ?? (() => 0));
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
