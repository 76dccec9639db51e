import type { Member, Step } from '@nesgd/core/baselines';
import { InputError, NesgdError } from '@nesgd/core/errors';
import type { AlphaFact, RunFolder } from '@nesgd/core/run';
import type { Conduct } from '../conduct-run.js';
import type { Found } from './found.js';
import { journalledPerform, trainedFacts } from './perform.js';
import { rivalPlan } from './rival-plan.js';

/** A method that trains whole networks. Replayed from its beginning, with the journal's answers as far as they go. */
export async function runRival(conduct: Conduct, alpha: AlphaFact | null): Promise<Found> {
  const { run, cache, watch } = conduct;
  const plan = rivalPlan(run.opened.experiment, alpha, conduct.trainImages);
  const perform = journalledPerform(conduct, plan);
  const closed = new Set(run.journal.lines.flatMap(({ fact }) => (fact.type === 'step' ? [fact.t] : [])));

  let last: Step | undefined;
  for await (const step of plan.method(perform)) {
    last = step;
    if (closed.has(step.t)) continue;
    await run.journal.append({ type: 'step', ...step });
    await dropOutdone(conduct, step);
    watch({
      type: 'generation-closed',
      t: step.t,
      bestAccuracy: step.best?.accuracy ?? 0,
      bestMask: maskFor(run, alpha),
      nabla: spread(step.population),
      suppressed: 0,
    });
  }
  const best = last?.best;
  if (!last || !best?.weights) throw nothingFound(run, last);
  const weights = best.weights;
  const done = trainedFacts(conduct).size;
  return {
    mask: maskFor(run, alpha),
    accuracy: best.accuracy,
    weights: async () => {
      await run.artifacts.copyTo(cache.blobs, weights);
      return weights;
    },
    closed: last.t,
    evaluations: done,
    done,
  };
}

function maskFor({ opened }: RunFolder, alpha: AlphaFact | null): string {
  return (alpha ? '1' : '0').repeat(opened.blocks.length);
}

function spread(population: readonly Member[]): number {
  const accuracies = population.map(({ accuracy }) => accuracy);
  return accuracies.length === 0 ? 0 : Math.max(...accuracies) - Math.min(...accuracies);
}

/** Keeps the weights that the method goes on with, and its best; the others are not asked for again. */
async function dropOutdone(conduct: Conduct, { population, best }: Step): Promise<void> {
  const { run, cache } = conduct;
  const alive = new Set([...population, best].flatMap((member) => member?.weights ?? []));
  for (const { weights } of trainedFacts(conduct).values()) {
    if (!weights || alive.has(weights)) continue;
    await run.artifacts.delete(weights);
    await cache.blobs.deleteUnlessShared(weights);
  }
}

function nothingFound(run: RunFolder, last: Step | undefined): NesgdError {
  if (last) {
    return new NesgdError(
      'ALL_DIVERGED',
      'the loss of every training stopped being a number, so there is no network to keep: start a new run with a smaller learning rate',
    );
  }
  return new InputError(
    'BUDGET_TOO_SMALL',
    `budget ${run.opened.experiment.budget}: it does not last for one epoch of training after what was spent on alpha: give more`,
  );
}
