import { searchesMasks } from '@nesgd/core/methods';
import { meansOf } from '@nesgd/core/protocol';
import { formatDuration } from '../display/format.js';
import { EXPECTED_NAMES } from '../expectation.js';
import { formatTime } from '../status/overview-lines.js';
import { VERSION } from '../version.js';
import type { RunDigest } from './run-digest.js';
import { count, NONE, percent, percentagePoints, type Table } from './table.js';
import { capitalised, wordsFor } from './words.js';

/** All runs in a line each. */
export function overviewTable(runs: readonly RunDigest[]): Table {
  return {
    caption: 'Runs',
    header: [
      'Run',
      'State',
      'Method',
      'Data set',
      'Network',
      'Seed',
      'Alpha, fitness (%)',
      'Best, fitness (%)',
      'Alpha, test (%)',
      'Best, test (%)',
      'Difference, test',
    ],
    rows: runs.map(({ runId, state, method, opened, alpha, best, test }) => [
      runId,
      state,
      method,
      opened.experiment.dataset.name,
      opened.experiment.model.name,
      String(opened.experiment.seed),
      percent(alpha?.accuracy),
      percent(best?.accuracy),
      percent(test.alpha),
      percent(test.best),
      test.alpha === undefined || test.best === undefined ? NONE : percentagePoints(test.best - test.alpha),
    ]),
    notes: [
      'Fitness is the accuracy that the search chooses by. The test set is looked at once, at the end, unless fitness is itself the test accuracy.',
    ],
    words: [1, 2, 3, 4],
  };
}

/** One generation a row. */
export function generationTable({ rows, generations, opened, method }: RunDigest): Table {
  const { round, left } = wordsFor(method);
  const evolves = method === 'ne-sgd';
  return {
    caption: `${capitalised(round)}s`,
    header: [
      capitalised(round),
      'Best (%)',
      'Median (%)',
      'Nabla',
      ...(evolves ? ['Cluster sizes', 'Suppressed masks'] : []),
      searchesMasks(method) ? 'Retrained' : 'Measured',
      ...(searchesMasks(method) ? ['Known already'] : []),
    ],
    rows: rows.map((row, i) => {
      const { clusters, suppressed, pool } = generations[i] ?? { clusters: [], suppressed: [], pool: [] };
      return [
        String(row.t),
        percent(row.best),
        percent(row.median),
        (100 * row.nabla).toFixed(2),
        ...(evolves
          ? [clusterSizes(clusters), suppressed.map((position) => pool[position]!.mask.join('')).join(' ') || NONE]
          : []),
        count(row.evaluated),
        ...(searchesMasks(method) ? [count(row.cacheHits)] : []),
      ];
    }),
    notes: [
      evolves
        ? 'Median and nabla (highest less lowest, in percentage points) are of the survivors. Clusters are those of parents and offspring together; the initial population is not clustered.'
        : `Best is of all until then; median and nabla (highest less lowest, in percentage points) are of the ${left}.`,
      ...(evolves && !opened.experiment.evolution.suppression ? ['Suppression is off in this run.'] : []),
    ],
    words: evolves ? [4, 5] : [],
  };
}

function clusterSizes(clusters: readonly number[]): string {
  const sizes = new Map<number, number>();
  for (const cluster of clusters) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
  return [...sizes.values()].sort((a, b) => b - a).join(' + ') || NONE;
}

/** What the experiment file says was published, beside what this run measured; none where it says nothing. */
export function expectationTables({ expectation }: RunDigest): Table[] {
  if (!expectation) return [];
  return [
    {
      caption: `Published for this experiment (${expectation.source}) and measured here`,
      header: ['', 'Published (%)', 'Measured (%)'],
      rows: expectation.figures.map(({ name, published, measured }) => [
        EXPECTED_NAMES[name],
        percent(published),
        percent(measured ?? undefined),
      ]),
      notes: ['Published figures are for the settings of their source; those of this run stand below.'],
    },
  ];
}

/** What the run cost. */
export function spentTable({ spent, alpha, individuals, state, method, opened }: RunDigest): Table {
  const masks = searchesMasks(method);
  const included = alpha ? ', alpha’s included' : '';
  const { budget } = opened.experiment;
  const ofBudget = budget === undefined ? '' : ` of a budget of ${count(budget)}`;
  const things = masks ? 'Individuals' : 'Networks';
  const trained = masks ? individuals : individuals.filter(({ curve }) => curve.length > 0);
  const wall = Date.parse(spent.lastFactAt) - Date.parse(spent.startedAt);
  return {
    caption: 'Time and budget',
    header: ['What', 'Spent'],
    rows: [
      ['Started', formatTime(spent.startedAt)],
      [state === 'finished' ? 'Finished' : 'Last fact', formatTime(spent.lastFactAt)],
      ['From start to last fact', formatDuration(wall)],
      ['Trainers, all jobs together', formatDuration(1000 * spent.trainerSeconds)],
      ['Jobs', count(spent.jobs)],
      ['Workers', count(spent.workers.length)],
      ...(masks
        ? [
            [`Individuals asked for by closed ${wordsFor(method).round}s`, count(spent.evaluations)],
            ['of them known already (cache hits)', count(spent.cacheHits)],
          ]
        : []),
      [masks ? 'Individuals retrained' : 'Networks trained', count(trained.length)],
      ...(trained.length < individuals.length
        ? [['Networks made of others, and measured', count(individuals.length - trained.length)]]
        : []),
      ...(spent.givenUp > 0 ? [[`${things} given up`, count(spent.givenUp)]] : []),
      [`Epochs trained${included}`, count(spent.epochsTrained)],
      [`Images trained on${included}`, `${count(spent.imagesTrained)}${ofBudget}`],
    ],
    notes: [
      ...(alpha?.reused
        ? ['Alpha was known from an earlier run: its epochs and images count here, its seconds do not.']
        : []),
      'A run that was stopped and resumed took the time in between, too.',
    ],
  };
}

/** The experiment by its own keys, and what computed. */
export function settingsTable({ opened, spent }: RunDigest): Table {
  const { device, precision } = meansOf(opened.runtime);
  return {
    caption: 'Settings and versions',
    header: ['Key', 'Value'],
    rows: [
      ...flattened(opened.experiment, ''),
      ['engine', opened.runtime.engine],
      ['threads a worker', String(opened.runtime.threads)],
      ['device', device],
      ['precision', precision],
      ['engines as workers described them', spent.engines.join('; ') || NONE],
      ['processors and cards that workers named', spent.processors.join('; ') || NONE],
      ['data set, SHA-256', opened.data.dataset],
      ['images [height, width, channels]', opened.imageShape.join(' × ')],
      ['classes', `${opened.classNames.length}: ${opened.classNames.join(', ')}`],
      ['journal version', String(opened.version)],
      ['this report is by', `nesgd ${VERSION}, Node.js ${process.versions.node}`],
    ],
    notes: ['Journals do not say which versions of nesgd and Node.js worked on a run.'],
    words: [1],
  };
}

/** `{ retrain: { epochs: 3 } }` -> `[['retrain.epochs', '3']]` */
function flattened(value: unknown, path: string): string[][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => flattened(inner, path ? `${path}.${key}` : key));
}
