import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import { InputError } from '../errors.js';

const holderSchema = z.object({ pid: z.int(), host: z.string(), started: z.string() });
export type Holder = z.infer<typeof holderSchema>;

/**
 * Keeps two coordinators from one run: a file naming the process that holds it. A holder that is gone (killed, or
 * the machine restarted) leaves a stale file, which the next one takes over; a process id used again is told apart by
 * the process's start time.
 * @returns releases the lock.
 * @throws InputError where a living process holds it.
 */
export async function lockRun(path: string, runId: string): Promise<() => Promise<void>> {
  const me: Holder = { pid: process.pid, host: hostname(), started: startTime(process.pid) };
  for (let attempt = 0; attempt < 2; attempt++) {
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (file) {
      await file.writeFile(JSON.stringify(me));
      await file.close();
      return () => rm(path, { force: true });
    }
    const text = await readFile(path, 'utf8').catch(() => '');
    const holder = parseHolder(text);
    if (holder && isAlive(holder)) {
      throw new InputError(
        'RUN_LOCKED',
        `run ${runId} is being worked on by process ${holder.pid} on ${holder.host}: wait for it, stop it, or choose another --run-id`,
      );
    }
    await bury(path, text);
  }
  throw new InputError('RUN_LOCKED', `run ${runId} was taken by another process just now`);
}

/** The living process that holds a run, if there is one. Looks only. */
export async function livingHolder(path: string): Promise<Holder | undefined> {
  const holder = parseHolder(await readFile(path, 'utf8').catch(() => ''));
  return holder && isAlive(holder) ? holder : undefined;
}

/** Removes a stale lock, and only that: another process may have taken over in the meantime. */
async function bury(path: string, stale: string): Promise<void> {
  const grave = `${path}.${randomBytes(4).toString('hex')}`;
  await rename(path, grave).catch(() => {});
  const buried = await readFile(grave, 'utf8').catch(() => stale);
  if (buried !== stale) await link(grave, path).catch(() => {});
  await rm(grave, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // Cut off while it was written: its writer is gone.
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true; // Cannot be seen from here; better refuse than run twice.
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startTime(holder.pid) === holder.started;
}

/** The kernel's start time of a process, in ticks since boot; '' where the system does not tell. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command's name, may hold spaces and parentheses: count from its end.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
