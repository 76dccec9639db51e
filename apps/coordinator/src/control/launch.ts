import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { checkRunId, lockRun, runHolder } from '@nesgd/core/run';
import { RunStateError } from './control-run.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** Hidden, so that it is no run. */
const STARTED_FOLDER = '.started';
const LOOK_EVERY_MS = 100;
/** A data set may have to be packed first: who asked is not kept waiting for that. */
const PATIENCE_MS = 20_000;

/** `runs/.started/<id>.<ending>`: what was asked for, what the process has to say, and who starts it just now. */
export async function startedPath(runsFolder: string, runId: string, ending: 'yaml' | 'log' | 'lock'): Promise<string> {
  const folder = resolve(runsFolder, STARTED_FOLDER);
  await mkdir(folder, { recursive: true }).catch((cause: Error) => {
    throw new NesgdError('RUN_UNWRITABLE', `run ${runId} cannot be started from here: ${cause.message}`, false, {
      cause,
    });
  });
  return join(folder, `${checkRunId(runId)}.${ending}`);
}

type Launched = 'running' | 'starting' | 'ended';

/**
 * Starts `nesgd ...` for a run as a process of its own, which outlives this one. Of several that are asked for at the
 * same time, by whichever servers of the folder, one is started.
 * @param prepare gives the arguments; nobody else starts the run while it does.
 * @returns `running` when it holds the run, `starting` when that takes long, `ended` when it is done already.
 * @throws RunStateError where it is being started already; InputError, NesgdError with what it said, where it ended otherwise.
 */
export async function launch(
  runsFolder: string,
  runId: string,
  prepare: () => Promise<readonly string[]>,
): Promise<Launched> {
  const unlock = await lockRun(await startedPath(runsFolder, runId, 'lock'), runId).catch((error) => {
    if (error instanceof InputError && error.code === 'RUN_LOCKED')
      throw new RunStateError(`run ${runId} is being started by another request`);
    if (error instanceof NesgdError) throw error;
    throw new NesgdError('RUN_UNWRITABLE', `nothing can be written in ${runsFolder}: ${error.message}`, false, {
      cause: error,
    });
  });
  let isUnderWay = false;
  try {
    const { settled, patience } = await spawnFor(runsFolder, runId, await prepare());
    const early = await Promise.race([settled, patience]);
    if (early !== 'starting') return early;
    // It holds no run yet that would keep another one from being started.
    isUnderWay = true;
    void settled.catch(() => {}).finally(unlock);
    return early;
  } finally {
    if (!isUnderWay) await unlock();
  }
}

async function spawnFor(runsFolder: string, runId: string, args: readonly string[]) {
  const logPath = await startedPath(runsFolder, runId, 'log');
  const log = await open(logPath, 'w');
  const child = spawn(process.execPath, [MAIN, ...args, '--runs', resolve(runsFolder)], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    // Where this machine's address for workers is another run's, this one does without.
    env: { ...process.env, NESGD_LISTEN_IF_FREE: '1' },
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
  const settle = async (): Promise<Launched> => {
    for (;;) {
      if (code === 0) return 'ended';
      if (code !== undefined) throw await failure(logPath, code);
      if ((await runHolder(runsFolder, runId))?.pid === child.pid) return 'running';
      await wait(LOOK_EVERY_MS, undefined, { ref: false });
    }
  };
  return { settled: settle(), patience: wait(PATIENCE_MS, 'starting' as const, { ref: false }) };
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
