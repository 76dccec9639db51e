import type { Fact } from '@nesgd/core/run';

/** A step of a curve: from so many images on, the most accurate network so far has this accuracy. */
export interface Point {
  readonly imagesSeen: number;
  readonly accuracy: number;
}

/**
 * After each round (a generation, a step's trainings) the images seen until then and the most accurate network so far.
 * Rounds and not single networks, because within a round the order is that of the workers. Alpha counts by its images
 * and not by its accuracy: a method is asked for what it adds.
 */
export function bestSoFar(facts: readonly Fact[]): Point[] {
  const points: Point[] = [];
  let imagesSeen = 0;
  let accuracy: number | undefined;
  let round = 0;
  const close = () => {
    if (accuracy !== undefined) points.push({ imagesSeen, accuracy });
  };
  for (const fact of facts) {
    if (fact.type === 'trained' && fact.round !== round) {
      close();
      round = fact.round;
    }
    if (fact.type === 'alpha' || fact.type === 'evaluated' || fact.type === 'trained') imagesSeen += fact.imagesTrained;
    if (fact.type === 'evaluated' || fact.type === 'trained') accuracy = Math.max(accuracy ?? 0, fact.accuracy);
    if (fact.type === 'generation' || fact.type === 'finished') close();
  }
  return points;
}

/** What a curve says of one moment; undefined before its first point. */
export function accuracyAt(points: readonly Point[], imagesSeen: number): number | undefined {
  return points.findLast((point) => point.imagesSeen <= imagesSeen)?.accuracy;
}
