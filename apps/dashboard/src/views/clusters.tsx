import { scaleLinear } from 'd3-scale';
import { useMemo, useRef, useState } from 'preact/hooks';
import { dendrogram } from '../model/dendrogram.js';
import { formatAccuracy } from '../model/format.js';
import { GenerationChoice } from '../ui/generation-choice.js';
import { Key } from '../ui/legend.js';
import { PagedTable } from '../ui/paged-table.js';
import { Nothing } from '../ui/states.js';
import { useWidth } from '../ui/use-size.js';
import type { ViewProps } from './view-props.js';

/** More leaves than this are no picture any more, and their clustering takes a page's time. */
const MOST_LEAVES = 600;
const ROW = 15;
const LABELS = 170;

/** Algorithm 2 at work: which individuals of a generation's pool are alike, and who was set back for it. */
export function Clusters({ model, opened }: ViewProps) {
  const [chosen, setChosen] = useState<number>();
  const clustered = model.generations.filter(({ clusters }) => clusters.length > 0);
  const generation = clustered.find(({ t }) => t === chosen) ?? clustered.at(-1);
  if (!opened.experiment.evolution.suppression)
    return <Nothing>This run does not suppress (evolution.suppression is false), so nothing is clustered.</Nothing>;
  if (!generation) return <Nothing>Clustering begins with generation 1, which is not closed yet.</Nothing>;

  const suppressed = new Set(generation.suppressed);
  const pool = generation.pool.map((number, position) => ({
    ...model.individual(number),
    cluster: generation.clusters[position] ?? 0,
    isSuppressed: suppressed.has(position),
    isOffspring: position >= generation.pool.length - generation.offspring.length,
  }));
  const byCluster = pool
    .map((member, position) => ({ member, position }))
    .sort((a, b) => a.member.cluster - b.member.cluster || b.member.accuracy - a.member.accuracy);
  const sizes = new Map<number, number>();
  for (const { cluster } of pool) sizes.set(cluster, (sizes.get(cluster) ?? 0) + 1);
  return (
    <>
      <h2>Clusters</h2>
      <div class="controls">
        <GenerationChoice round="generation" generations={clustered} chosen={chosen} choose={setChosen} />
        <span>
          {sizes.size} clusters of {pool.length} individuals; {generation.suppressed.length} suppressed
        </span>
      </div>
      <ul class="legend">
        <Key name="merged into a cluster" variable="--best" />
        <Key name="not merged any more" variable="--rule" />
        <Key name="suppressed: the worst of a cluster of more than three" variable="--suppressed" />
      </ul>
      {pool.length > MOST_LEAVES ? (
        <Nothing>A tree of {pool.length} leaves is not drawn; the table has its clusters.</Nothing>
      ) : (
        <Tree key={generation.t} pool={pool} linkage={opened.experiment.evolution.linkage} clusters={sizes.size} />
      )}
      <PagedTable
        caption="The pool by cluster"
        columns={[
          { title: 'Individual' },
          { title: 'Cluster', isNumber: true },
          { title: 'Its size', isNumber: true },
          { title: 'Accuracy', isNumber: true },
          { title: 'Mask' },
          { title: 'From' },
          { title: 'Suppressed' },
        ]}
        count={pool.length}
        rowsOf={(first, end) =>
          byCluster
            .slice(first, end)
            .map(({ member: { number, cluster, accuracy, mask, isOffspring, isSuppressed }, position }) => ({
              key: position,
              cells: [
                number,
                cluster,
                sizes.get(cluster) ?? 0,
                formatAccuracy(accuracy),
                <span class="mask">{mask}</span>,
                isOffspring ? 'offspring' : 'survivor',
                isSuppressed ? 'suppressed' : '',
              ],
            }))
        }
      />
    </>
  );
}

interface Member {
  readonly mask: string;
  readonly accuracy: number;
  readonly cluster: number;
  readonly isSuppressed: boolean;
}

interface TreeProps {
  readonly pool: readonly Member[];
  readonly linkage: 'average' | 'single' | 'complete';
  readonly clusters: number;
}

function Tree({ pool, linkage, clusters }: TreeProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const { leaves, merges, cutHeight } = useMemo(
    () =>
      dendrogram(
        pool.map(({ mask }) => mask),
        clusters,
        linkage,
      ),
    [pool.map(({ mask }) => mask).join(), clusters, linkage],
  );
  const height = leaves.length * ROW + 34;
  const x = scaleLinear([0, Math.max(1, merges.at(-1)?.height ?? 1)], [LABELS, Math.max(LABELS + 60, width - 10)]);
  const y = (place: number) => place * ROW + ROW / 2;
  return (
    <div
      ref={frame}
      class="chart"
      style={{ height: `${height}px` }}
      role="img"
      aria-label="Dendrogram of the pool by Hamming distance; the table below has its clusters"
    >
      <svg width={width} height={height} aria-hidden="true">
        {leaves.map((leaf, place) => {
          const member = pool[leaf];
          if (!member) return null;
          return (
            <text
              key={leaf}
              x={LABELS - 6}
              y={y(place)}
              dy="0.34em"
              text-anchor="end"
              style={member.isSuppressed ? { fill: 'var(--danger)', fontWeight: 600 } : {}}
            >
              {`${member.isSuppressed ? '✕ suppressed ' : ''}${formatAccuracy(member.accuracy)} · ${member.cluster}`}
            </text>
          );
        })}
        {merges.map(({ places: [a, b], from: [fromA, fromB], height: top, isWithin }) => (
          <path
            key={`${a} ${b}`}
            d={`M${x(fromA)} ${y(a)}H${x(top)}V${y(b)}H${x(fromB)}`}
            fill="none"
            style={{ stroke: isWithin ? 'var(--best)' : 'var(--rule)', strokeWidth: isWithin ? 2 : 1.25 }}
          />
        ))}
        <line
          x1={x(cutHeight)}
          x2={x(cutHeight)}
          y2={leaves.length * ROW}
          style={{ stroke: 'var(--faint-ink)' }}
          stroke-dasharray="4 3"
        />
        {x.ticks(5).map((tick) => (
          <text key={tick} x={x(tick)} y={height - 20} text-anchor="middle">
            {tick}
          </text>
        ))}
        <text x={LABELS} y={height - 4}>
          Hamming distance (left: accuracy · cluster)
        </text>
      </svg>
    </div>
  );
}
