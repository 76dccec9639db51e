import type { Birth } from '../model/births.js';
import { formatAccuracy } from '../model/format.js';
import type { Individual } from '../model/run-model.js';
import { PagedTable } from '../ui/paged-table.js';

interface IndividualsTableProps {
  readonly rows: readonly Individual[];
  readonly births: ReadonlyMap<string, Birth>;
  /** Where an individual's lineage is shown; undefined where none has any. */
  readonly lineage: ((number: number) => string) | undefined;
}

/** The rows of the heat map as text. */
export function IndividualsTable({ rows, births, lineage }: IndividualsTableProps) {
  return (
    <PagedTable
      caption="Individuals, fittest first"
      columns={[
        { title: 'Individual' },
        { title: 'Mask' },
        { title: 'Accuracy', isNumber: true },
        { title: lineage ? 'Born' : 'Drawn', isNumber: true },
        { title: 'Seconds', isNumber: true },
        { title: 'Worker' },
      ]}
      count={rows.length}
      rowsOf={(first, end) =>
        rows.slice(first, end).map(({ number, mask, accuracy, worker, seconds }) => ({
          key: number,
          cells: [
            lineage ? <a href={lineage(number)}>{number}</a> : number,
            <span class="mask">{mask}</span>,
            formatAccuracy(accuracy),
            births.get(mask)?.t ?? '–',
            seconds?.toFixed(1) ?? '–',
            worker ?? '–',
          ],
        }))
      }
    />
  );
}
