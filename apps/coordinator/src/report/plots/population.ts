import * as Plot from '@observablehq/plot';
import type { Population, RunDigest } from '../run-digest.js';
import { percent } from '../table.js';
import { wordsFor } from '../words.js';
import type { Figure } from './draw.js';

/** Above so many generations labels stand upright. */
const MOST_LEVEL_LABELS = 14;

/** A box a generation or step: the accuracies of who is left, and above it nabla, the highest less the lowest. */
export function populationFigure({ populations, alpha, opened, method }: RunDigest): Figure | undefined {
  if (populations.length === 0) return undefined;
  const points = populations.flatMap(({ t, members }) =>
    members.map(({ label, fitness }) => ({ t, fitness, title: `${label}: ${percent(fitness)} %` })),
  );
  const { round, left } = wordsFor(method);
  const upright = populations.length > MOST_LEVEL_LABELS;
  const last = populations.at(-1)!;
  const crowded = last.members.length > 12; // The box must be seen behind them.
  return {
    name: 'population',
    title: `The population by ${round}, and its nabla`,
    description: `Box plots of the fitness of the ${last.members.length} ${left} of each of ${populations.length} ${round}s; above each its nabla (highest less lowest) in percentage points. In ${round} ${last.t} the best has ${percent(Math.max(...last.members.map(({ fitness }) => fitness)))} %, nabla is ${(100 * last.nabla).toFixed(2)}.`,
    options: (palette) => ({
      height: 340,
      marginLeft: 60,
      marginTop: upright ? 24 : 8,
      x: { type: 'band', label: round, padding: 0.4 },
      y: {
        label: `accuracy on ${opened.experiment.fitness} (%)`,
        labelAnchor: 'center',
        percent: true,
        grid: true,
        inset: 6,
      },
      marks: [
        Plot.ruleY(alpha ? [alpha.accuracy] : [], { stroke: palette.alpha, strokeDasharray: '3 4' }),
        Plot.text(alpha ? [alpha] : [], {
          y: 'accuracy',
          frameAnchor: 'right',
          text: () => 'alpha',
          fill: palette.alpha,
          textAnchor: 'end',
          dy: -7,
        }),
        Plot.boxY(points, { x: 't', y: 'fitness', fill: palette.fresh, stroke: palette.ink, r: 0 }),
        Plot.dot(points, {
          x: 't',
          y: 'fitness',
          fill: palette.individual,
          fillOpacity: crowded ? 0.4 : 1,
          r: crowded ? 1.5 : 2.5,
          title: 'title',
        }),
        Plot.text(populations, {
          x: 't',
          y: ({ members }: Population) => Math.max(...members.map(({ fitness }) => fitness)),
          text: ({ nabla }: Population) => (upright ? '' : '∇ ') + (100 * nabla).toFixed(2),
          dy: upright ? -16 : -10,
          rotate: upright ? -90 : 0,
        }),
      ],
    }),
  };
}
