import * as Plot from '@observablehq/plot';
import type { Figure } from '../report/plots/draw.js';
import { count } from '../report/table.js';
import type { Comparison } from './comparison.js';

/** Okabe and Ito (2008): told apart by the colour-blind, too. */
const COLOURS = ['#000000', '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f'];
/** The least distance of two labels, as a part of the figure's height. */
const LABEL_GAP = 0.045;

/** The most accurate network so far against images seen, a line a method: its mean over the seeds. */
export function comparisonFigure({ methods, budget }: Comparison): Figure {
  const points = methods.flatMap(({ name, bestSoFar }) => bestSoFar.map((point) => ({ name, ...point })));
  const names = methods.map(({ name }) => name);
  const accuracies = points.map(({ mean }) => mean);
  const ends = methods.flatMap(({ name, bestSoFar }) => {
    const last = bestSoFar.at(-1);
    return last ? [{ name, imagesSeen: last.imagesSeen, mean: last.mean }] : [];
  });
  const labels = spread(ends, LABEL_GAP * (Math.max(...accuracies) - Math.min(...accuracies)));
  return {
    name: 'comparison',
    title: 'Best network so far, against training images',
    description: `Mean validation accuracy over ${methods[0]!.seeds} seeds of the best network so far of ${names.join(', ')}, up to ${count(budget)} training images, alpha's included.`,
    options: (palette) => ({
      height: 420,
      marginLeft: 60,
      marginRight: 190,
      x: { label: 'training images', labelAnchor: 'center', domain: [0, budget], tickFormat: 's' },
      y: { label: 'validation accuracy (%)', labelAnchor: 'center', percent: true, grid: true, inset: 10 },
      color: { domain: names, range: names.map((_, i) => COLOURS[i % COLOURS.length]!) },
      marks: [
        Plot.line(points, { x: 'imagesSeen', y: 'mean', stroke: 'name', strokeWidth: 2, curve: 'step-after' }),
        Plot.dot(ends, { x: 'imagesSeen', y: 'mean', fill: 'name', r: 3 }),
        Plot.text(labels, {
          x: 'imagesSeen',
          y: 'mean',
          text: 'name',
          fill: 'name',
          stroke: palette.paper,
          textAnchor: 'start',
          dx: 8,
        }),
      ],
    }),
  };
}

/** Moves labels down until none lies nearer to the one above it than `gap`. */
function spread<T extends { readonly mean: number }>(labels: readonly T[], gap: number): T[] {
  let lowest = Number.POSITIVE_INFINITY;
  return [...labels]
    .sort((a, b) => b.mean - a.mean)
    .map((label) => {
      lowest = Math.min(label.mean, lowest - gap);
      return { ...label, mean: lowest };
    });
}
