import { useState } from 'preact/hooks';
import type { Birth } from '../model/births.js';
import { formatAccuracy } from '../model/format.js';
import type { Individual } from '../model/run-model.js';
import { Table } from '../ui/table.js';

const PAGE = 25;

interface IndividualsTableProps {
  readonly rows: readonly Individual[];
  readonly births: ReadonlyMap<string, Birth>;
  /** Where an individual's lineage is shown. */
  readonly lineage: (number: number) => string;
}

/** The same rows as text, a page at a time. */
export function IndividualsTable({ rows, births, lineage }: IndividualsTableProps) {
  const [wanted, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  const page = Math.min(wanted, pages - 1);
  return (
    <>
      <Table
        caption={`Individuals, fittest first; page ${page + 1} of ${pages}`}
        columns={[
          { title: 'Individual' },
          { title: 'Mask' },
          { title: 'Accuracy', isNumber: true },
          { title: 'Born', isNumber: true },
          { title: 'Seconds', isNumber: true },
          { title: 'Worker' },
        ]}
        rows={rows.slice(page * PAGE, (page + 1) * PAGE).map(({ number, mask, accuracy, worker, seconds }) => ({
          key: number,
          cells: [
            <a href={lineage(number)}>{number}</a>,
            <span class="mask">{mask}</span>,
            formatAccuracy(accuracy),
            births.get(mask)?.t ?? '–',
            seconds?.toFixed(1) ?? '–',
            worker ?? '–',
          ],
        }))}
      />
      <div class="controls">
        <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
          Fitter
        </button>
        <button type="button" disabled={page >= pages - 1} onClick={() => setPage(page + 1)}>
          Less fit
        </button>
      </div>
    </>
  );
}
