import { useMemo } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { ancestry, type Birth, birthsOf, originOf } from '../model/births.js';
import { formatAccuracy } from '../model/format.js';
import { Nothing } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { LineageTree } from './lineage-tree.js';
import type { ViewProps } from './view-props.js';

/** Where an individual comes from, back to the first generation. `?individual=N` names it; else it is the best. */
export function Lineage({ model, opened, changes }: ViewProps) {
  const { query, route } = useLocation();
  const births = useMemo(() => birthsOf(model), [model, changes]);
  const firstOf = useMemo(
    () => new Map(model.individuals.toReversed().map(({ mask, number }) => [mask, number])),
    [model, changes],
  );
  const best = model.best && firstOf.get(model.best.mask);
  const asked = /^\d{1,9}$/.test(query.individual ?? '') ? Number(query.individual) : best;
  const individual = asked === undefined ? undefined : model.individuals[asked];
  if (model.individuals.length === 0) return <Nothing>No individual is evaluated yet.</Nothing>;

  const path = (number: number | undefined) =>
    `/runs/${encodeURIComponent(opened.runId)}/lineage?individual=${number ?? ''}`;
  const linkOf = (mask: string) => {
    const number = firstOf.get(mask);
    return <a href={path(number)}>individual {number}</a>;
  };
  const birth = individual && births.get(individual.mask);
  return (
    <>
      <h2>Lineage</h2>
      <form
        class="controls"
        onSubmit={(event) => {
          event.preventDefault();
          route(path(Number(new FormData(event.currentTarget).get('individual'))));
        }}
      >
        <label>
          Individual{' '}
          <input
            key={individual?.number}
            name="individual"
            type="number"
            min={0}
            max={model.individuals.length - 1}
            defaultValue={individual?.number ?? 0}
            required
          />
        </label>
        <button type="submit">Show</button>
        {best !== undefined && <a href={path(best)}>the best</a>}
      </form>
      {!individual && <Nothing>There is no individual of that number.</Nothing>}
      {individual && (
        <>
          <p>
            Individual {individual.number}, <span class="mask">{individual.mask}</span>, accuracy{' '}
            {formatAccuracy(individual.accuracy)}.
          </p>
          {!birth && <Nothing>Its generation is not closed yet; then its parents are known.</Nothing>}
          {birth && <Descent birth={birth} link={linkOf} />}
          {birth?.parents && (
            <LineageTree
              ancestors={ancestry(births, individual.mask)}
              mask={individual.mask}
              href={(mask) => path(firstOf.get(mask))}
            />
          )}
          {birth?.parents && <Bits birth={birth} blocks={opened.blocks} />}
        </>
      )}
    </>
  );
}

function Descent({ birth, link }: { birth: Birth; link: (mask: string) => preact.ComponentChild }) {
  if (!birth.parents) return <p>Drawn at random for the first population.</p>;
  const { t, parents, crossover, mutated = [] } = birth;
  return (
    <p>
      Born in generation {t} of {link(parents[0])} and {link(parents[1])},{' '}
      {crossover ? 'which exchanged bits' : 'without crossover'}; mutation flipped{' '}
      {mutated.length === 0 ? 'no bit' : mutated.length === 1 ? 'one bit' : `${mutated.length} bits`}.
    </p>
  );
}

function Bits({ birth, blocks }: { birth: Birth; blocks: ViewProps['opened']['blocks'] }) {
  const parents = birth.parents ?? ['', ''];
  return (
    <Table
      caption="Its bits: 1 keeps the block, 0 re-initialises it"
      columns={[
        { title: 'Block' },
        { title: 'First parent' },
        { title: 'Second parent' },
        { title: 'It' },
        { title: 'From' },
      ]}
      rows={blocks.map(({ name }, i) => ({
        key: i,
        isMarked: birth.mutated?.includes(i) ?? false,
        cells: [name, parents[0][i], parents[1][i], birth.mask[i], originOf(birth, i)],
      }))}
    />
  );
}
