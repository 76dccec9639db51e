/** One thing that was looked for on this machine. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What is there, for people: a version, a path, a number; "nothing" included. */
  readonly found: string;
  /** What is missing and how to get it; only where not `ok`. */
  readonly missing?: string;
  /** What it brings, or would bring. */
  readonly brings: string;
}

/** What one look yields. */
export type Finding = Omit<Check, 'name' | 'brings'>;
