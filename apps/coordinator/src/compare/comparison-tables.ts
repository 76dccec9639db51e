import { count, NONE, percent, percentagePoints, type Table } from '../report/table.js';
import type { Comparison } from './comparison.js';
import type { Estimate } from './statistics.js';

/** Moments that a table shows of the best-so-far curves, as parts of the budget. */
const MOMENTS = [0.25, 0.5, 0.75, 1];

/** A comparison for a document; in all of its tables intervals hold 95 %. */
export function comparisonTables(comparison: Comparison): Table[] {
  return [methodTable(comparison), pairTable(comparison), reachTable(comparison), curveTable(comparison)];
}

/** A part of the budget as text. */
export function formatReach(ratio: number | null): string {
  return ratio === null ? 'more than all' : ratio.toFixed(2);
}

function methodTable({ methods, budget }: Comparison): Table {
  return {
    caption: `Accuracy (%) of the network that each method chose, mean over ${seeds(methods[0]!.seeds)}, budget ${count(budget)} images`,
    header: ['Method', 'Images seen', 'Validation', '95 %', 'Test', '95 %'],
    rows: methods.map(({ name, imagesSeen, validationAccuracy, testAccuracy }) => [
      name,
      count(Math.round(imagesSeen)),
      percent(validationAccuracy.mean),
      interval(validationAccuracy),
      percent(testAccuracy.mean),
      interval(testAccuracy),
    ]),
    notes: [],
  };
}

function pairTable({ pairs }: Comparison): Table {
  return {
    caption: 'Test accuracy of the first less that of the second, seed by seed, in percentage points',
    header: ['First', 'Second', 'Difference', '95 %', 'p'],
    rows: pairs.map(({ a, b, difference, low, high, p }) => [
      a,
      b,
      percentagePoints(difference),
      `${percentagePoints(low)} to ${percentagePoints(high)}`,
      p.toPrecision(3),
    ]),
    notes: ['p of a two-sided sign-flip test; nothing corrects for the number of pairs.'],
    words: [1],
  };
}

function reachTable({ methods, reach, notes }: Comparison): Table {
  const { name } = methods[0]!;
  return {
    caption: `Images needed to reach the validation accuracy that ${name} ends with, as a part of the budget`,
    header: ['Method', 'Part of the budget', '95 %'],
    rows: reach
      .filter(({ b }) => b === name)
      .map(({ a, ratio, low, high }) => [a, formatReach(ratio), `${formatReach(low)} to ${formatReach(high)}`]),
    notes,
  };
}

function curveTable({ methods, budget }: Comparison): Table {
  return {
    caption: 'Validation accuracy (%) of the best network so far, mean over seeds',
    header: ['Method', ...MOMENTS.map((part) => `${count(budget * part)} images`)],
    rows: methods.map(({ name, bestSoFar }) => [
      name,
      ...MOMENTS.map((part) => {
        // A moment's number is a product of fractions: the nearest point is meant.
        const at = bestSoFar.find(({ imagesSeen }) => Math.abs(imagesSeen - budget * part) < 0.5);
        return at ? percent(at.mean) : NONE;
      }),
    ]),
    notes: [`${NONE}: not all seeds have a network yet.`],
  };
}

const interval = ({ low, high }: Estimate): string => `${percent(low)} to ${percent(high)}`;
const seeds = (n: number): string => (n === 1 ? 'one seed' : `${n} seeds`);
