import type { Evaluate, Individual, Mask } from '@nesgd/core/evolution';
import { maskToString } from '@nesgd/core/evolution';
import type { EvaluateJob } from '@nesgd/core/protocol';
import type { Dispatcher, EvaluatedFact, Journal } from '@nesgd/core/run';
import type { Watch } from './run-events.js';

export interface JournalledEvaluateOptions {
  readonly journal: Journal;
  readonly dispatcher: Dispatcher;
  readonly makeJob: (individual: { mask: string; repeat: number; keepWeightsAbove: number | null }) => EvaluateJob;
  readonly generations: number;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/**
 * The algorithm's `Evaluate` port on top of journal and workers: a genome measured before in this run answers from the
 * journal, the others become jobs, and each result is in the journal before the algorithm hears of it.
 */
export function journalledEvaluate(options: JournalledEvaluateOptions): Evaluate {
  const { journal, dispatcher, makeJob, watch, signal } = options;

  return async (masks, { generation, again }) => {
    const repeat = again ? generation : 0;
    const known = evaluatedFacts(journal);
    const keys = masks.map((mask) => evaluationKey(maskToString(mask), repeat));
    const missing = [...new Set(keys.filter((key) => !known.has(key)))];
    const phase = { name: 'generation', t: generation, of: options.generations } as const;
    watch({ type: 'phase', phase, total: missing.length, answered: masks.length - missing.length });

    const keepWeightsAbove = bestOfClosedGenerations(journal);
    const settled = await Promise.allSettled(
      missing.map(async (key) => {
        const mask = key.slice(0, key.indexOf('/'));
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
    const failed = settled.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;

    return masks.map((mask, i) => individual(mask, known.get(keys[i] as string) as EvaluatedFact));
  };
}

/** A genome may be measured again in a later generation (`reevaluateSurvivors`): the repeat tells them apart. */
function evaluationKey(mask: string, repeat: number): string {
  return `${mask}/${repeat}`;
}

export function evaluatedFacts(journal: Journal): Map<string, EvaluatedFact> {
  const facts = new Map<string, EvaluatedFact>();
  for (const { fact } of journal.lines) {
    if (fact.type === 'evaluated') facts.set(evaluationKey(fact.mask, fact.repeat), fact);
  }
  return facts;
}

function individual(mask: Mask, fact: EvaluatedFact): Individual {
  return { mask, fitness: fact.accuracy };
}

/**
 * What weights have to beat to be worth storing. Only closed generations count: how far the current one has come
 * depends on the workers, and a job must not.
 */
function bestOfClosedGenerations(journal: Journal): number | null {
  const lastClosed = journal.lines.findLastIndex(({ fact }) => fact.type === 'generation');
  const accuracies = journal.lines
    .slice(0, lastClosed + 1)
    .map(({ fact }) => (fact.type === 'evaluated' ? fact.accuracy : Number.NEGATIVE_INFINITY));
  const best = Math.max(...accuracies);
  return Number.isFinite(best) ? best : null;
}
