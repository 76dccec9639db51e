import { NesgdError } from '@nesgd/core/errors';
import { cacheFolder } from '@nesgd/core/storage';
import type { CoordinatorConfig } from '../../config.js';
import { chooseDisplayMode, createDisplay } from '../../display/index.js';
import type { DataSurroundings } from './surroundings.js';

/**
 * Runs a command with a display of its progress on standard error. Ctrl-C and SIGTERM end it in order: nothing half-written is left
 * but the part of a download, which the next one goes on with.
 * @throws NesgdError `STOPPED` where one of them did.
 */
export async function conduct<T>(
  config: CoordinatorConfig,
  json: boolean,
  work: (around: DataSurroundings) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const { stdout, stderr } = process;
  const display = createDisplay({ stream: stderr, mode: chooseDisplayMode(stderr, json, config.env) });
  const onSignal = () => stop.abort();
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work({
      cache: cacheFolder(config.cacheRoot),
      json,
      stdout: {
        ...(stdout.hasColors && { hasColors: () => stdout.hasColors() }),
        write: (text: string) => {
          display.close(); // The result stands below the last state, not in it.
          return stdout.write(text);
        },
      },
      watch: display.watch,
      signal: stop.signal,
    });
  } catch (error) {
    throw stop.signal.aborted ? new NesgdError('STOPPED', 'stopped') : error;
  } finally {
    display.close();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}
