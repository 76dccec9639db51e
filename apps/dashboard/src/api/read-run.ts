import type { RunSnapshot, ViewLine } from '@nesgd/core/view';
import type { RunModel } from '../model/run-model.js';
import { fetchRun } from './client.js';

/** So many are parsed in less than the time of a click. */
const LINES_AT_ONCE = 4_000;

/** The run has another journal than the one whose lines are known: it was retried, or is another run. */
export class OtherJournal extends Error {}

/**
 * Reads a run from where the model has got to the end of its journal, in as many answers as that takes.
 * @param take called with each line. @param progress called with the share of the journal that is read, between answers.
 * @param signal ends it between two answers.
 * @returns the last answer.
 * @throws RequestError, OtherJournal, and the signal's reason.
 */
export async function readRun(
  runId: string,
  model: RunModel,
  take: (line: ViewLine) => void,
  signal: AbortSignal,
  progress: (share: number) => void = () => {},
): Promise<RunSnapshot> {
  for (let next = model.length; ; ) {
    signal.throwIfAborted();
    const snapshot = await fetchRun(runId, next - 1, LINES_AT_ONCE);
    model.journal ??= snapshot.journal;
    if (snapshot.journal !== model.journal) throw new OtherJournal();
    for (const line of snapshot.lines) take(line);
    next += snapshot.lines.length;
    const { reading } = snapshot;
    if (!reading && snapshot.lines.length < LINES_AT_ONCE) return snapshot;
    progress(reading ? reading.bytesRead / reading.bytes : 1);
  }
}
