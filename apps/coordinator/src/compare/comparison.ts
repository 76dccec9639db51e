import type { Fact, FinishedFact } from '@nesgd/core/run';
import { accuracyAt, bestSoFar, type Point } from './best-so-far.js';
import { type Reach, reachOf } from './reach.js';
import { bootstrapMean, type Estimate, signFlipTest } from './statistics.js';

/** `nesgd compare --json`. Accuracies in [0, 1]; intervals hold 95 %. */
export interface Comparison {
  readonly budget: number;
  readonly methods: readonly MethodResult[];
  /** Every two methods. The difference is a's test accuracy less b's, seed by seed. */
  readonly pairs: readonly PairResult[];
  /** For every two methods in either order, and each with itself: when a's best-so-far reaches what b ends with. */
  readonly reach: readonly ReachResult[];
  /** What a reader of the figures must know. */
  readonly notes: readonly string[];
}

export interface MethodResult {
  readonly name: string;
  readonly seeds: number;
  /** Mean over the seeds: training images, alpha's among them. */
  readonly imagesSeen: number;
  /** Of the network chosen, on the split that is fitness. */
  readonly validationAccuracy: Estimate;
  readonly testAccuracy: Estimate;
  /** The most accurate network so far, after so many images. Begins where all seeds have one. */
  readonly bestSoFar: readonly (Estimate & { readonly imagesSeen: number })[];
  readonly runs: readonly string[];
}

export interface PairResult {
  readonly a: string;
  readonly b: string;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Of a two-sided sign-flip test over the seeds. */
  readonly p: number;
}

export interface ReachResult extends Reach {
  readonly a: string;
  readonly b: string;
}

/** One finished run of a comparison. */
export interface ComparedRun {
  readonly contender: string;
  readonly runId: string;
  readonly facts: readonly Fact[];
}

/** Points of a curve: the budget in twentieths. */
const POINTS = 20;

/**
 * @param runs of every contender as many, its seeds in the same order: pairs are made by their positions.
 * @param notes on how these runs were chosen.
 */
export function comparisonOf(runs: readonly ComparedRun[], budget: number, notes: readonly string[] = []): Comparison {
  const byName = new Map<string, ComparedRun[]>();
  for (const run of runs) byName.set(run.contender, [...(byName.get(run.contender) ?? []), run]);
  const names = [...byName.keys()];
  const finished = (name: string): FinishedFact[] => byName.get(name)!.map(({ facts }) => finishedOf(facts));
  const curves = new Map(names.map((name) => [name, byName.get(name)!.map(({ facts }) => bestSoFar(facts))] as const));
  return {
    budget,
    methods: names.map((name) => {
      const of = finished(name);
      return {
        name,
        seeds: of.length,
        imagesSeen: of.reduce((sum, { imagesTrained }) => sum + imagesTrained, 0) / of.length,
        validationAccuracy: bootstrapMean(of.map(({ best }) => best.accuracy)),
        testAccuracy: bootstrapMean(of.map(({ best }) => best.testAccuracy)),
        bestSoFar: meanCurve(curves.get(name)!, budget),
        runs: byName.get(name)!.map(({ runId }) => runId),
      };
    }),
    pairs: names.flatMap((a, i) =>
      names.slice(i + 1).map((b) => {
        const [ofA, ofB] = [finished(a), finished(b)];
        const differences = ofA.map(({ best }, seed) => best.testAccuracy - ofB[seed]!.best.testAccuracy);
        const { mean, low, high } = bootstrapMean(differences);
        return { a, b, difference: mean, low, high, p: signFlipTest(differences) };
      }),
    ),
    reach: names.flatMap((a) =>
      names.map((b) => {
        const ends = finished(b).map(({ best }) => best.accuracy);
        return { a, b, ...reachOf(curves.get(a)!, ends, budget) };
      }),
    ),
    notes: [...notes, ...names.flatMap((name) => byName.get(name)!.slice(0, 1).flatMap(timingNote))],
  };
}

/** The one place where figures depend on whose worker was fast. */
function timingNote({ contender, facts }: ComparedRun): string[] {
  const opened = facts.find((fact) => fact.type === 'opened');
  const lag = opened?.experiment.method.name === 'ne-sgd' && opened.experiment.evolution.steadyStateLag;
  if (!lag) return [];
  return [
    `${contender} is steady-state evolution: when its workers differ in speed, its best-so-far and what it needs to reach others count up to ${lag} retrainings that it had not taken in yet. These figures depend on timing; what it ends with does not.`,
  ];
}

function finishedOf(facts: readonly Fact[]): FinishedFact {
  const finished = facts.find((fact) => fact.type === 'finished');
  if (!finished) throw new Error('a run that is compared has finished');
  return finished;
}

function meanCurve(curves: readonly (readonly Point[])[], budget: number): MethodResult['bestSoFar'] {
  return Array.from({ length: POINTS }, (_, i) => (budget * (i + 1)) / POINTS).flatMap((imagesSeen) => {
    const accuracies = curves.map((points) => accuracyAt(points, imagesSeen));
    const all = accuracies.filter((accuracy) => accuracy !== undefined);
    return all.length === curves.length ? [{ imagesSeen, ...bootstrapMean(all) }] : [];
  });
}
