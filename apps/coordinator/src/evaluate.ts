import { NesgdError } from '@nesgd/core/errors';
import type { Evaluate, Individual, Mask } from '@nesgd/core/evolution';
import { maskToString } from '@nesgd/core/evolution';
import type { EvaluateJob } from '@nesgd/core/protocol';
import type { Dispatcher, EvaluatedFact, FailedFact, Journal } from '@nesgd/core/run';
import type { Watch } from './run-events.js';

export interface JournalledEvaluateOptions {
  readonly journal: Journal;
  readonly dispatcher: Dispatcher;
  readonly makeJob: (individual: { mask: string; repeat: number; keepWeightsAbove: number | null }) => EvaluateJob;
  readonly generations: number;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/** What an individual came to: measured, or given up. */
export type Answer = EvaluatedFact | FailedFact;

/** Ends of a trainer rather than of a training: met by a genome again and again, they are the genome's doing. */
const ENDS_OF_TRAINERS = new Set(['TRAINER_DIED', 'TRAINER_HUNG', 'OUT_OF_MEMORY', 'WASM_MEMORY', 'JOB_STALLED']);
const MAX_REASON_LENGTH = 500;

/**
 * The algorithm's `Evaluate` port on top of journal and workers: a genome measured before in this run answers from the
 * journal, the others become jobs, and each result is in the journal before the algorithm hears of it.
 *
 * An individual that every trainer died of, in as many attempts as the dispatcher makes, is given up: a fact as well,
 * and its fitness is 0. Not so where none of the run was measured yet: then it is the machines that are at fault.
 */
export function journalledEvaluate(options: JournalledEvaluateOptions): Evaluate {
  const { journal, dispatcher, makeJob, watch, signal } = options;

  return async (masks, { generation, again }) => {
    const repeat = again ? generation : 0;
    const known = answersIn(journal);
    const keys = masks.map((mask) => evaluationKey(maskToString(mask), repeat));
    const missing = [...new Set(keys.filter((key) => !known.has(key)))].map((key) => ({
      key,
      mask: key.slice(0, key.indexOf('/')),
    }));
    const phase = { name: 'generation', t: generation, of: options.generations } as const;
    watch({ type: 'phase', phase, total: missing.length, answered: masks.length - missing.length });

    const keepWeightsAbove = bestOfClosedGenerations(journal);
    const settled = await Promise.allSettled(
      missing.map(async ({ key, mask }) => {
        const job = { id: key, text: mask };
        const { result, provenance } = await dispatcher.dispatch(makeJob({ mask, repeat, keepWeightsAbove }), {
          onStart: (worker) => watch({ type: 'job-started', job, worker }),
          onProgress: (worker, progress) => watch({ type: 'job-progress', job, worker, progress }),
          onRetry: (reason) => watch({ type: 'job-retried', job, reason }),
          signal,
        });
        const fact: EvaluatedFact = { type: 'evaluated', mask, repeat, ...result };
        await journal.append(fact, { provenance });
        known.set(key, fact);
        watch({
          type: 'job-done',
          job,
          worker: provenance.worker,
          accuracy: result.accuracy,
          seconds: provenance.seconds,
        });
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
      const fact: FailedFact = { type: 'failed', mask, repeat };
      const reason = String(error instanceof Error ? error.message : error).slice(0, MAX_REASON_LENGTH);
      await journal.append(fact, { reason });
      known.set(key, fact);
      watch({ type: 'notice', text: `individual ${mask} is given up and counts as the worst: ${reason}` });
    }
    return masks.map((mask, i) => individual(mask, known.get(keys[i]!)!));
  };
}

function endsTrainers(error: unknown): boolean {
  return error instanceof NesgdError && ENDS_OF_TRAINERS.has(error.code);
}

/** A genome may be measured again in a later generation (`reevaluateSurvivors`): the repeat tells them apart. */
function evaluationKey(mask: string, repeat: number): string {
  return `${mask}/${repeat}`;
}

/** What is known of each individual; one that was given up and measured in a later attempt has been measured. */
export function answersIn(journal: Journal): Map<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const { fact } of journal.lines) {
    if (fact.type === 'evaluated' || fact.type === 'failed') answers.set(evaluationKey(fact.mask, fact.repeat), fact);
  }
  return answers;
}

export function evaluatedFacts(journal: Journal): EvaluatedFact[] {
  return [...answersIn(journal).values()].filter((fact) => fact.type === 'evaluated');
}

function individual(mask: Mask, fact: Answer): Individual {
  return { mask, fitness: fact.type === 'failed' ? 0 : fact.accuracy };
}

/**
 * What weights have to beat to be worth storing. Only closed generations count: how far the current one has come
 * depends on the workers, and a job must not.
 */
function bestOfClosedGenerations(journal: Journal): number | null {
  const lastClosed = journal.lines.findLastIndex(({ fact }) => fact.type === 'generation');
  let best: number | null = null;
  for (const { fact } of journal.lines.slice(0, lastClosed + 1)) {
    if (fact.type === 'evaluated' && (best === null || fact.accuracy > best)) best = fact.accuracy;
  }
  return best;
}
