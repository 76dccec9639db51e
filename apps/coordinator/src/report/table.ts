/** A table as HTML and Markdown both can have it: texts, the first of each row its heading. */
export interface Table {
  readonly caption: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What a reader has to know of it. */
  readonly notes: readonly string[];
  /** Columns of words; all others but the first are figures. */
  readonly words?: readonly number[];
}

/** Stands where there is no value. */
export const NONE = '–';

/** Accuracy in [0, 1] as the paper prints it: `0.9482` -> `94.82`. */
export function percent(accuracy: number | undefined): string {
  return accuracy === undefined ? NONE : (100 * accuracy).toFixed(2);
}

/** Of two accuracies, in percentage points and with its sign. */
export function percentagePoints(difference: number): string {
  const text = (100 * difference).toFixed(2);
  return difference > 0 ? `+${text}` : text.replace('-', '−');
}

/** `1234567` -> `1,234,567` */
export const count = (n: number): string => n.toLocaleString('en');
