import type { RunModel } from './run-model.js';

/** The best accuracy of an individual after some work. */
export interface Improvement {
  /** Individuals evaluated until then, this one among them. */
  readonly evaluated: number;
  /** Training images seen until then, alpha's among them: the budget spent. */
  readonly imagesTrained: number;
  readonly accuracy: number;
}

/** The best accuracy so far at each improvement, and at the end. */
export function bestSoFar({ individuals, alpha }: RunModel): Improvement[] {
  const improvements: Improvement[] = [];
  let imagesTrained = alpha?.imagesTrained ?? 0;
  let best = Number.NEGATIVE_INFINITY;
  individuals.forEach((individual, i) => {
    imagesTrained += individual.imagesTrained;
    const isLast = i === individuals.length - 1;
    if (individual.accuracy <= best && !isLast) return;
    best = Math.max(best, individual.accuracy);
    improvements.push({ evaluated: i + 1, imagesTrained, accuracy: best });
  });
  return improvements;
}
