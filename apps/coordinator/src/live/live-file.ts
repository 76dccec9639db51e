import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LIVE_STATUS_FILE } from '@nesgd/core/view';
import type { Watch } from '../run-events.js';
import { LiveState } from './live-state.js';

const SHORTEST_INTERVAL_MS = 200;

export interface LiveFile {
  readonly watch: Watch;
  /** Writes what was said last. */
  close(): Promise<void>;
}

/**
 * Keeps `live.json` in the folder of the run that the events are about. It is renamed into its place, so a reader finds
 * it whole; it is not flushed, and a disk that does not take it stops nothing: it is for watching only.
 */
export function liveFile(now: () => number = Date.now): LiveFile {
  const state = new LiveState(now());
  let folder: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastWrite: Promise<void> = Promise.resolve();

  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const status = state.status(now());
    if (!status || folder === undefined) return;
    const path = join(folder, LIVE_STATUS_FILE);
    lastWrite = lastWrite
      .then(() => writeFile(`${path}.tmp`, JSON.stringify(status)))
      .then(() => rename(`${path}.tmp`, path))
      .catch(() => {});
  };

  return {
    watch(event) {
      state.watch(event, now());
      if (event.type === 'opened') {
        folder = event.run.folder;
        write();
      } else timer ??= setTimeout(write, SHORTEST_INTERVAL_MS).unref();
    },
    async close() {
      if (timer) write();
      await lastWrite;
    },
  };
}
