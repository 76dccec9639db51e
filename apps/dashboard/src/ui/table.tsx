import type { ComponentChildren } from 'preact';

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

export interface Row {
  readonly key: string | number;
  readonly cells: readonly ComponentChildren[];
  readonly isMarked?: boolean;
}

export interface TableProps {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** Reached by keyboard, as only then what is scrolled out of sight can be (WCAG 2.1.1). */
const SCROLLING = { class: 'scroll', tabIndex: 0 };

/** Scrolls sideways where the screen is narrow; the first cell of a row names it. */
export function Table({ caption, columns, rows }: TableProps) {
  return (
    <section {...SCROLLING} aria-label={caption}>
      <table>
        <caption>
          <span>{caption}</span>
        </caption>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells, isMarked }) => (
            <tr key={key} class={isMarked ? 'marked' : ''}>
              {cells.map((cell, i) => {
                const column = columns[i];
                const className = column?.isNumber ? 'number' : '';
                return i === 0 ? (
                  <th key={column?.title} scope="row" class={className}>
                    {cell}
                  </th>
                ) : (
                  <td key={column?.title} class={className}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
