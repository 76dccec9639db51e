import type { ListedSoon } from '@nesgd/core/view';
import type { RunOverview } from '../status/run-overview.js';
import type { JournalPart } from './journal-reading.js';

/** What is said between the process and its reading thread. */

/**
 * `read`: on with a run's journal, from where the reading of that number has got; answered by parts. `forget`: that
 * reading is over; not answered.
 */
export type Request =
  | { readonly type: 'list'; readonly patienceMs?: number }
  | { readonly type: 'overview'; readonly runId: string }
  | { readonly type: 'read'; readonly reading: number; readonly runId: string }
  | { readonly type: 'forget'; readonly reading: number };

export interface ToThread {
  readonly id: number;
  readonly request: Request;
}

/** Of a request there come parts, then one `done` or `refused`. */
export type FromThread = { readonly id: number } & (
  | { readonly type: 'part'; readonly part: JournalPart }
  | { readonly type: 'done'; readonly value: ListedSoon[] | RunOverview | null }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
);
