import type { Job } from '@nesgd/core/protocol';

export interface DeadlineOptions {
  /** No job is late before. */
  readonly atLeastMs: number;
  /** Of the median of those done. */
  readonly factor: number;
}

/** Twice as long as usual happens on a machine that is shared; four times is worth an idle worker's trouble. */
export const DEFAULT_DEADLINE: DeadlineOptions = { atLeastMs: 120_000, factor: 4 };
/** Jobs done before the median says something. */
const ENOUGH = 3;
const REMEMBERED = 200;

/** How long a job may take before another worker may try it as well, from what others of its kind took. */
export class Deadline {
  readonly #durationsMs = new Map<Job['kind'], number[]>();

  constructor(private readonly options: DeadlineOptions) {}

  record(kind: Job['kind'], durationMs: number): void {
    const known = this.#durationsMs.get(kind) ?? [];
    this.#durationsMs.set(kind, [...known.slice(1 - REMEMBERED), durationMs]);
  }

  /** In milliseconds; infinite while too little is known. */
  of(kind: Job['kind']): number {
    const known = [...(this.#durationsMs.get(kind) ?? [])].sort((a, b) => a - b);
    if (known.length < ENOUGH) return Number.POSITIVE_INFINITY;
    return Math.max(this.options.atLeastMs, this.options.factor * known[Math.floor(known.length / 2)]!);
  }
}
