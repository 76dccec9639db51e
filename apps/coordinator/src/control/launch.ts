import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { checkRunId, runHolder } from '@nesgd/core/run';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** Hidden, so that it is no run. */
const STARTED_FOLDER = '.started';
const LOOK_EVERY_MS = 100;
/** A data set may have to be packed first: who asked is not kept waiting for that. */
const PATIENCE_MS = 20_000;

/** `runs/.started/<id>.<ending>`: what was asked for, and what the process has to say. */
export async function startedPath(runsFolder: string, runId: string, ending: 'yaml' | 'log'): Promise<string> {
  const folder = resolve(runsFolder, STARTED_FOLDER);
  await mkdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new NesgdError('RUN_UNWRITABLE', `run ${runId} cannot be started from here: ${cause.message}`, false, {
      cause,
    });
  });
  return join(folder, `${checkRunId(runId)}.${ending}`);
}

/**
 * Starts `nesgd ...` for a run as a process of its own, which outlives this one.
 * @returns `running` when it holds the run, `starting` when that takes long, `ended` when it is done already.
 * @throws InputError, NesgdError with what it said, where it ended otherwise.
 */
export async function launch(
  runsFolder: string,
  runId: string,
  args: readonly string[],
): Promise<'running' | 'starting' | 'ended'> {
  const logPath = await startedPath(runsFolder, runId, 'log');
  const log = await open(logPath, 'w');
  const child = spawn(process.execPath, [MAIN, ...args, '--runs', resolve(runsFolder)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  let code: number | null | undefined;
  child.once('exit', (exitCode) => {
    code = exitCode;
  });
  child.once('error', () => {
    code = null;
  });
  await log.close();
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (code === 0) return 'ended';
    if (code !== undefined) throw await failure(logPath, code);
    if ((await runHolder(runsFolder, runId))?.pid === child.pid) return 'running';
    await wait(LOOK_EVERY_MS);
  }
  return 'starting';
}

/** Its last words, which begin with the program's name. */
async function failure(logPath: string, code: number | null): Promise<NesgdError> {
  const text = await readFile(logPath, 'utf8').catch(() => '');
  const said = text
    .slice(Math.max(0, text.lastIndexOf('\nnesgd: ')))
    .trim()
    .replace(/^nesgd: /, '');
  const message = said || `it ended with ${code}, and said nothing`;
  return code === 2 ? new InputError('START_REFUSED', message) : new NesgdError('START_FAILED', message);
}
