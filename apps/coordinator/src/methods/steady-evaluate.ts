import { epochsWithin } from '@nesgd/core/baselines';
import { type EvaluateOne, type Individual, maskToString } from '@nesgd/core/evolution';
import { type AlphaFact, type EvaluatedFact, type FailedFact, retrainingOf } from '@nesgd/core/run';
import type { Budget } from '../budget.js';
import type { Conduct } from '../conduct-run.js';
import { answersIn, endsTrainers, evaluationKey, giveUp, individual, measureIndividual } from '../evaluate.js';
import { jobsOf } from '../jobs.js';

type Answer = EvaluatedFact | FailedFact;

/** One that was born, whether its measurement is over or not. */
interface Birth {
  readonly key: string;
  /** Set aside for it; 0 for a genome that was born before. */
  readonly images: number;
  readonly result: Promise<Individual>;
}

/**
 * The port of `steadyState` on top of journal and workers. As in `journalledEvaluate` a genome is measured once a run, and
 * results are in the journal before the search hears of them. What a job depends on (its epochs within the budget,
 * the accuracy that weights have to beat) follows from the results that the search has taken in, and from what was set aside
 * for those under way. So a resumed run, which replays its births, sends the same jobs.
 *
 * With a budget, as many known genomes in a row as a population has would cost nothing and could go on for ever: the
 * next is measured anew, with fresh draws.
 */
export function journalledEvaluateOne(conduct: Conduct, alpha: AlphaFact, budget: Budget | undefined): EvaluateOne {
  const { run, dispatcher, watch, signal } = conduct;
  const { experiment } = run.opened;
  const { populationSize, generations } = experiment.evolution;
  const { epochs: wanted } = retrainingOf(experiment);
  const measuring = { journal: run.journal, dispatcher, alpha: alpha.weights, watch, signal };
  const known = answersIn(run.journal);
  const births: Birth[] = [];
  let knownInARow = 0;

  return (mask, { index, settled }) => {
    if (index % populationSize === 0) {
      const t = index / populationSize;
      const phase = { name: 'generation', t, of: budget ? t : generations } as const;
      watch({ type: 'phase', phase, total: populationSize, answered: 0 });
    }
    const text = maskToString(mask);
    const twin = births.find(({ key }) => key === evaluationKey(text, 0));
    const again = twin !== undefined && budget !== undefined && knownInARow >= populationSize;
    if (twin && !again) {
      births.push({ ...twin, images: 0 });
      knownInARow += 1;
      return twin.result;
    }
    const repeat = again ? index : 0;
    const key = evaluationKey(text, repeat);
    const [epochs] = budget
      ? epochsWithin([wanted], budget.images - spent(settled, budget), budget.imagesOf)
      : [wanted];
    if (!epochs) return undefined;
    knownInARow = 0;
    const result = answer({ mask: text, repeat, epochs, keepWeightsAbove: leaderOf(settled) }).then((fact) => {
      known.set(key, fact);
      return individual(mask, fact);
    });
    births.push({ key, images: budget?.imagesOf(epochs) ?? 0, result });
    return result;
  };

  async function answer(wanted: {
    mask: string;
    repeat: number;
    epochs: number;
    keepWeightsAbove: number | null;
  }): Promise<Answer> {
    const there = known.get(evaluationKey(wanted.mask, wanted.repeat));
    if (there) return there;
    const job = jobsOf(run.opened).evaluate({ alpha: alpha.weights, ...wanted });
    try {
      return await measureIndividual(measuring, job, wanted.epochs);
    } catch (error) {
      const measuredAny = [...known.values()].some(({ type }) => type === 'evaluated');
      if (!measuredAny || signal.aborted || !endsTrainers(error)) throw error;
      return giveUp(measuring, job, error);
    }
  }

  /** What the settled ones cost, and what was set aside for the others. */
  function spent(settled: number, { alphaImages }: Budget): number {
    return births.reduce((sum, { key, images }, i) => {
      const fact = i < settled && images > 0 ? known.get(key) : undefined;
      if (!fact) return sum + images;
      return sum + (fact.type === 'evaluated' ? fact.imagesTrained : 0);
    }, alphaImages);
  }

  function leaderOf(settled: number): number | null {
    const accuracies = births.slice(0, settled).flatMap(({ key }) => {
      const fact = known.get(key);
      return fact?.type === 'evaluated' ? [fact.accuracy] : [];
    });
    return accuracies.length > 0 ? Math.max(...accuracies) : null;
  }
}
