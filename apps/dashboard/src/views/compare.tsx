import { scaleLinear } from 'd3-scale';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { type ReadRun, useRuns } from '../api/use-runs.js';
import { bestSoFar, type Improvement } from '../model/best-so-far.js';
import { formatAccuracy, formatCount } from '../model/format.js';
import { Axes, plotBox } from '../ui/axes.js';
import { Loading, Nothing, Problem } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { useWidth } from '../ui/use-size.js';

const HEIGHT = 420;
/** Told apart by dashes as well as by colour. */
const STYLES = [
  { colour: 'var(--best)', dashes: '' },
  { colour: 'var(--alpha)', dashes: '7 3' },
  { colour: 'var(--individual)', dashes: '2 3' },
  { colour: 'var(--live)', dashes: '9 3 2 3' },
  { colour: 'var(--ink)', dashes: '4 2' },
] as const;

type Budget = 'imagesTrained' | 'evaluated';

/** The best accuracy of several runs against what they have spent. */
export function ComparePage() {
  const { query } = useLocation();
  const runIds = [...new Set((query.runs ?? '').split(',').filter(Boolean))];
  const runs = useRuns(runIds);
  const [budget, setBudget] = useState<Budget>('imagesTrained');
  useEffect(() => {
    document.title = 'Comparison - nesgd';
  }, []);
  return (
    <>
      <h1>Comparison</h1>
      {runIds.length === 0 && (
        <Nothing>
          No run is chosen: <a href="/">the list</a> is the place to choose them.
        </Nothing>
      )}
      {runIds.length > 0 && runs.length === 0 && <Loading what="the runs" />}
      {runs.map(
        ({ runId, problem }) =>
          problem && (
            <Problem key={runId}>
              {runId}: {problem}
            </Problem>
          ),
      )}
      {runs.length > 0 && (
        <>
          <div class="controls">
            <label>
              Against{' '}
              <select
                value={budget}
                onChange={(event) =>
                  setBudget(event.currentTarget.value === 'evaluated' ? 'evaluated' : 'imagesTrained')
                }
              >
                <option value="imagesTrained">images trained on</option>
                <option value="evaluated">individuals evaluated</option>
              </select>
            </label>
          </div>
          <ul class="legend">
            {runs.map(({ runId }, i) => (
              <li key={runId}>
                <svg width="34" height="10" aria-hidden="true">
                  <line x2="34" y1="5" y2="5" stroke-width="3" {...stroke(i)} />
                </svg>{' '}
                <a href={`/runs/${encodeURIComponent(runId)}`}>{runId}</a>
              </li>
            ))}
          </ul>
          <Plot runs={runs} budget={budget} />
          <ComparisonTable runs={runs} />
        </>
      )}
    </>
  );
}

function stroke(i: number): { stroke: string; 'stroke-dasharray': string } {
  const { colour, dashes } = STYLES[i % STYLES.length] ?? STYLES[0];
  return { stroke: colour, 'stroke-dasharray': dashes };
}

function Plot({ runs, budget }: { runs: readonly ReadRun[]; budget: Budget }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const curves = runs.map(({ model }) => bestSoFar(model));
  const all = curves.flat();
  const box = plotBox(width, HEIGHT);
  const x = scaleLinear([0, Math.max(1, ...all.map((point) => point[budget]))], [box.left, box.right]);
  const accuracies = all.length > 0 ? all.map(({ accuracy }) => accuracy) : [0, 1];
  const y = scaleLinear([Math.min(...accuracies), Math.max(...accuracies)], [box.bottom, box.top]).nice();
  const path = (curve: readonly Improvement[]) =>
    curve
      .map(
        (point, i) =>
          `${i === 0 ? `M${x(point[budget])} ${y(point.accuracy)}` : `H${x(point[budget])}V${y(point.accuracy)}`}`,
      )
      .join('');
  return (
    <div
      ref={frame}
      class="chart"
      style={{ height: `${HEIGHT}px` }}
      role="img"
      aria-label="The best accuracy so far of each run against its budget; the table below has the figures"
    >
      <Axes
        width={width}
        height={HEIGHT}
        box={box}
        x={x}
        y={y}
        xTitle={budget === 'evaluated' ? 'individuals evaluated' : "images trained on, alpha's included"}
        yTitle="best accuracy"
      />
      <svg width={width} height={HEIGHT} aria-hidden="true">
        {curves.map((curve, i) => (
          <path key={runs[i]?.runId} d={path(curve)} fill="none" stroke-width="2.5" {...stroke(i)} />
        ))}
      </svg>
    </div>
  );
}

function ComparisonTable({ runs }: { runs: readonly ReadRun[] }) {
  return (
    <Table
      caption="As far as they have come"
      columns={[
        { title: 'Run' },
        { title: 'Network' },
        { title: 'Data' },
        { title: 'Alpha', isNumber: true },
        { title: 'Best', isNumber: true },
        { title: 'Test', isNumber: true },
        { title: 'Individuals', isNumber: true },
        { title: 'Images', isNumber: true },
      ]}
      rows={runs.map(({ runId, model }) => ({
        key: runId,
        cells: [
          runId,
          model.opened?.experiment.model.name ?? '–',
          model.opened?.experiment.dataset.name ?? '–',
          formatAccuracy(model.alpha?.accuracy),
          formatAccuracy(model.best?.accuracy),
          formatAccuracy(model.tested.get('best')),
          formatCount(model.individuals.length),
          formatCount(model.imagesTrained),
        ],
      }))}
    />
  );
}
