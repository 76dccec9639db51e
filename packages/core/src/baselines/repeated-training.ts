import { bestOf, type Hyperparameters, type Member, type Perform, type Step } from './perform.js';

export interface RepeatedTrainingParams {
  /** Trainings in all; infinite where a budget ends them. */
  readonly repeats: number;
  /** Of one training. */
  readonly epochs: number;
  readonly hyperparameters: Hyperparameters;
  /** Trainings asked for at a time, so that workers have something to do. */
  readonly atOnce: number;
  /** Random weights are drawn once, for the first training, and all start from these. */
  readonly sameStart?: boolean | undefined;
}

/** One training after the other from the same start, each with draws of its own; the most accurate is the result. */
export async function* repeatedTraining(
  start: string | null,
  name: string,
  { repeats, epochs, hyperparameters, atOnce, sameStart }: RepeatedTrainingParams,
  perform: Perform,
): AsyncGenerator<Step, void> {
  let best: Member | null = null;
  for (let t = 1, done = 0; done < repeats; t++) {
    const ids = Array.from({ length: Math.min(atOnce, repeats - done) }, (_, i) => `${name}-${done + i + 1}`);
    const outcomes = await perform(
      ids.map((id) => ({
        kind: 'train',
        id,
        weights: start,
        ...(sameStart && { initialOf: `${name}-1` }),
        epochs,
        hyperparameters,
        schedule: 'whole',
        keepWeightsAbove: best?.accuracy ?? null,
      })),
    );
    const population = outcomes.flatMap((outcome, i) => (outcome ? [{ id: ids[i]!, ...outcome }] : []));
    best = bestOf([best, ...population]);
    if (population.length > 0) yield { t, population, best };
    if (population.length < ids.length) return; // The budget is spent.
    done += ids.length;
  }
}
