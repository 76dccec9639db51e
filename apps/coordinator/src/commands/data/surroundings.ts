import type { CacheFolder } from '@nesgd/core/storage';
import { type Line, printLine } from '../../display/line.js';
import type { Terminal } from '../../display/live-region.js';
import type { Watch } from '../../run-events.js';

/** What every `nesgd data` command gets. */
export interface DataSurroundings {
  readonly cache: CacheFolder;
  /** The result as one JSON value on standard output. */
  readonly json: boolean;
  readonly stdout: Terminal;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

export function printResult({ json, stdout }: DataSurroundings, value: unknown, lines: () => readonly Line[]): void {
  if (json) {
    stdout.write(`${JSON.stringify(value)}\n`);
    return;
  }
  const colours = stdout.hasColors?.() ?? false;
  stdout.write(
    lines()
      .map((line) => `${printLine(line, colours)}\n`)
      .join(''),
  );
}

export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 2 : 0)} MB`;
