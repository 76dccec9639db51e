import { useState } from 'preact/hooks';
import { type Row, Table, type TableProps } from './table.js';

const PAGE = 50;

interface PagedTableProps extends Omit<TableProps, 'rows'> {
  /** How many rows there are in all. */
  readonly count: number;
  /** Makes those of one page; the others cost nothing. */
  readonly rowsOf: (first: number, end: number) => readonly Row[];
}

/** A table of any length, a page at a time. */
export function PagedTable({ caption, columns, count, rowsOf }: PagedTableProps) {
  const [wanted, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(count / PAGE));
  const page = Math.min(wanted, pages - 1);
  const part = pages > 1 ? `; page ${page + 1} of ${pages}` : '';
  return (
    <>
      <Table caption={`${caption}${part}`} columns={columns} rows={rowsOf(page * PAGE, (page + 1) * PAGE)} />
      {pages > 1 && (
        <div class="controls">
          <button type="button" disabled={page === 0} onClick={() => setPage(page - 1)}>
            Previous page
          </button>
          <button type="button" disabled={page === pages - 1} onClick={() => setPage(page + 1)}>
            Next page
          </button>
        </div>
      )}
    </>
  );
}
