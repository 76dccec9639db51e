import type { Expectation, Fact } from '@nesgd/core/run';
import { fiveNumbers, standardDeviation } from './report/statistics.js';

/** What somebody published for an experiment, each figure beside what the run measured. Accuracies in [0, 1]. */
export interface ExpectedAndMeasured {
  readonly source: string;
  readonly figures: readonly {
    readonly name: Exclude<keyof Expectation, 'source'>;
    readonly published: number;
    /** Null where the run has nothing of the kind. */
    readonly measured: number | null;
  }[];
}

/**
 * Test accuracies are of the networks that met the test set. A population is all individuals of the run, or all
 * trainings, by their fitness: that is test accuracy in the paper's mode only.
 * @returns null where the experiment has no expectation.
 */
export function expectedAndMeasured(
  expectation: Expectation | undefined,
  facts: readonly Fact[],
): ExpectedAndMeasured | null {
  if (!expectation) return null;
  const tested = (which: 'alpha' | 'best') =>
    facts.flatMap((fact) => (fact.type === 'tested' && fact.which === which ? [fact.accuracy] : []))[0];
  const population = facts.flatMap((fact) =>
    fact.type === 'evaluated' || fact.type === 'trained' ? [fact.accuracy] : [],
  );
  const [minimum, lowerQuartile, median, upperQuartile, maximum] = population.length > 0 ? fiveNumbers(population) : [];
  const measured: Readonly<Record<string, number | undefined>> = {
    testAccuracy: tested('best'),
    sgdTestAccuracy: tested('alpha'),
    minimum,
    lowerQuartile,
    median,
    upperQuartile,
    maximum,
    standardDeviation: population.length > 1 ? standardDeviation(population) : undefined,
  };
  const { source, ...published } = expectation;
  const names = Object.keys(published) as (keyof typeof published)[];
  return {
    source,
    figures: names.flatMap((name) => {
      const value = published[name];
      return value === undefined ? [] : [{ name, published: value, measured: measured[name] ?? null }];
    }),
  };
}

/** For people. */
export const EXPECTED_NAMES: Readonly<Record<ExpectedAndMeasured['figures'][number]['name'], string>> = {
  testAccuracy: 'test accuracy',
  sgdTestAccuracy: 'SGD alone, test accuracy',
  minimum: 'population, minimum',
  lowerQuartile: 'population, lower quartile',
  median: 'population, median',
  upperQuartile: 'population, upper quartile',
  maximum: 'population, maximum',
  standardDeviation: 'population, standard deviation',
};
