import * as Plot from '@observablehq/plot';
import { plural } from '../../display/format.js';
import type { MeasuredIndividual, RunDigest } from '../run-digest.js';
import { percent } from '../table.js';
import { type Words, wordsFor } from '../words.js';
import type { Figure } from './draw.js';

interface Point {
  readonly epoch: number;
  readonly accuracy: number;
  readonly curve: string;
  readonly title: string;
}

/** Fig. 3: accuracy against epochs, alpha's curve and, going on where it ends, each individual's. */
export function convergenceFigure({ alpha, individuals, best, opened, method }: RunDigest): Figure | undefined {
  const words = wordsFor(method);
  const winner = individuals.find(({ label, accuracy }) => label === best?.label && accuracy === best.accuracy);
  const alphaPoints = alpha ? curvePoints(alpha.curve, 0, 'alpha', `alpha: ${percent(alpha.accuracy)} %`) : [];
  const points = (of: readonly MeasuredIndividual[]) =>
    of.flatMap((individual, i) => individualPoints(individual, alpha, `${individual.label}/${i}`, words));
  const others = points(individuals.filter((individual) => individual !== winner));
  const winning = points(winner ? [winner] : []);
  if (alphaPoints.length + others.length + winning.length === 0) return undefined;
  const line = { x: 'epoch', y: 'accuracy', z: 'curve', title: 'title' } as const;
  // A thousand curves are a cloud: the fewer there are, the more each is seen.
  const opacity = Math.min(0.55, 0.05 + 30 / individuals.length);
  const epochs = Math.max(...[...alphaPoints, ...others, ...winning].map(({ epoch }) => epoch));
  return {
    name: 'convergence',
    title: `Accuracy on ${opened.experiment.fitness}, epoch by epoch (Fig. 3)`,
    description: `Learning curves: ${alpha ? `alpha by SGD, which reached ${percent(alpha.accuracy)} %, and from where it ended ` : ''}${plural(individuals.length, words.network)}${best ? `; the best, highlighted, reached ${percent(best.accuracy)} %` : ''}.`,
    options: (palette) => ({
      height: 380,
      marginLeft: 60,
      marginRight: 110,
      x: { label: 'epochs of training', labelAnchor: 'center', ticks: Math.min(epochs, 10), tickFormat: 'd' },
      y: { label: 'accuracy (%)', labelAnchor: 'center', percent: true, grid: true, inset: 6 },
      marks: [
        Plot.ruleY(alpha ? [alpha.accuracy] : [], {
          stroke: palette.alpha,
          strokeDasharray: '3 4',
          strokeOpacity: 0.7,
        }),
        Plot.line(others, { ...line, stroke: palette.individual, strokeWidth: 1, strokeOpacity: opacity }),
        Plot.dot(
          others,
          Plot.selectLast({ ...line, fill: palette.individual, fillOpacity: Math.min(1, 2 * opacity), r: 2 }),
        ),
        Plot.line(alphaPoints, { ...line, stroke: palette.alpha, strokeWidth: 2.5 }),
        Plot.dot(alphaPoints, { ...line, fill: palette.alpha, r: alphaPoints.length > 60 ? 1 : 2.5 }),
        Plot.line(winning, { ...line, stroke: palette.best, strokeWidth: 2.5 }),
        Plot.dot(winning, Plot.selectLast({ ...line, fill: palette.best, r: 4 })),
        Plot.text(alphaPoints.slice(-1), {
          ...line,
          text: () => `alpha (SGD) ${percent(alpha?.accuracy)}`,
          fill: palette.alpha,
          textAnchor: 'end',
          dy: -10,
          fontWeight: 'bold',
        }),
        Plot.text(winning.slice(-1), {
          ...line,
          text: () => `best ${percent(best?.accuracy)}`,
          fill: palette.best,
          textAnchor: 'start',
          dx: 8,
          fontWeight: 'bold',
        }),
      ],
    }),
  };
}

function individualPoints(
  individual: MeasuredIndividual,
  alpha: RunDigest['alpha'],
  curve: string,
  { round }: Words,
): Point[] {
  const { label, accuracy, t, epochsBefore: start } = individual;
  const title = `${label}${t === undefined ? '' : `, ${round} ${t}`}: ${percent(accuracy)} %`;
  // Where it goes on from alpha, its line does so, too.
  const from: Point[] =
    alpha && start === alpha.curve.length ? [{ epoch: start, accuracy: alpha.accuracy, curve, title }] : [];
  const measured = curvePoints(individual.curve, start, curve, title);
  return measured.length > 0 ? [...from, ...measured] : [];
}

/** Epochs that were not measured are left out. */
function curvePoints(records: MeasuredIndividual['curve'], start: number, curve: string, title: string): Point[] {
  return records.flatMap(({ epoch, accuracy }) =>
    accuracy === null ? [] : [{ epoch: start + epoch, accuracy, curve, title }],
  );
}
