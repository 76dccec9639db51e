import * as Plot from '@observablehq/plot';
import type { RunDigest } from '../run-digest.js';
import { percent } from '../table.js';
import type { Figure } from './draw.js';

const MOST_GENERATIONS = 30;
/** Of the columns together, and what one needs to be told from the next. */
const WIDTH = 820;
const COLUMN_WIDTH = 4;

/** Parents and offspring of each generation by cluster, and which of them were suppressed. */
export function clusterFigure({ generations }: RunDigest): Figure | undefined {
  const clustered = generations.filter(({ clusters }) => clusters.length > 0);
  const columns = Math.max(1, ...clustered.map(({ clusters }) => new Set(clusters).size));
  const fitting = Math.floor(WIDTH / (COLUMN_WIDTH * (columns + 2)));
  const shown = clustered.slice(-Math.max(1, Math.min(MOST_GENERATIONS, fitting)));
  const points = shown.flatMap(({ t, pool, clusters, suppressed }) =>
    pool.map(({ mask, fitness }, position) => ({
      t,
      cluster: clusters[position]!,
      fitness,
      suppressed: suppressed.includes(position),
      title: `${mask.join('')}, cluster ${clusters[position]}: ${percent(fitness)} %${suppressed.includes(position) ? ', suppressed' : ''}`,
    })),
  );
  if (points.length === 0) return undefined;
  const total = points.filter(({ suppressed }) => suppressed).length;
  const left = clustered.length > shown.length ? `The last ${shown.length} of ${clustered.length} generations. ` : '';
  return {
    name: 'clusters',
    title: 'Parents and offspring by cluster (a column each); crosses were suppressed',
    description: `${left}Fitness of each parent and offspring; within a generation each column is a cluster of similar masks. Of ${points.length} individuals ${total} were suppressed, the worst of clusters of more than three.`,
    options: (palette) => ({
      height: 320,
      marginLeft: 60,
      fx: { label: 'generation', padding: 0.15 },
      x: { type: 'point', axis: null, padding: 1 },
      y: { label: 'accuracy (%)', labelAnchor: 'center', percent: true, grid: true, inset: 6 },
      marks: [
        Plot.frame({ stroke: palette.grid }),
        Plot.dot(
          points.filter(({ suppressed }) => !suppressed),
          { fx: 't', x: 'cluster', y: 'fitness', fill: palette.individual, fillOpacity: 0.8, r: 3, title: 'title' },
        ),
        Plot.dot(
          points.filter(({ suppressed }) => suppressed),
          {
            fx: 't',
            x: 'cluster',
            y: 'fitness',
            symbol: 'times',
            stroke: palette.suppressed,
            strokeWidth: 2,
            r: 4,
            title: 'title',
          },
        ),
      ],
    }),
  };
}
