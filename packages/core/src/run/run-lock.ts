import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { BEAT_MS, changesWithin, LockWatch, PATIENCE_MS, timeOf } from './lock-watch.js';

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  started: z.string(),
  /** The namespace that `pid` counts in: two containers of one name each have a process 1. */
  namespace: z.string().default(''),
});
export type Holder = z.infer<typeof holderSchema>;

const watch = new LockWatch();

/**
 * Keeps two coordinators from one run: a file naming the process that holds it. A holder that is gone (killed, or
 * the machine restarted) leaves a stale file, which the next one takes over; a process id used again is told apart by
 * the process's start time. One of another machine or container is watched: a living one touches its file.
 * @param patienceMs how long.
 * @returns releases the lock.
 * @throws InputError where a living process holds it.
 */
export async function lockRun(path: string, runId: string, patienceMs = PATIENCE_MS): Promise<() => Promise<void>> {
  const me: Holder = { ...here(), pid: process.pid, started: startTime(process.pid) };
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await placeWhole(path, JSON.stringify(me))) {
      const beat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), BEAT_MS).unref();
      return () => {
        clearInterval(beat);
        return rm(path, { force: true });
      };
    }
    const text = await readFile(path, 'utf8').catch(() => '');
    const holder = parseHolder(text);
    if (holder && (isVisible(holder) ? isAlive(holder) : await changesWithin(path, await timeOf(path), patienceMs))) {
      throw new InputError(
        'RUN_LOCKED',
        `run ${runId} is being worked on by process ${holder.pid} on ${holder.host}: wait for it, stop it, or choose another --run-id`,
      );
    }
    await bury(path, text);
  }
  throw new InputError('RUN_LOCKED', `run ${runId} was taken by another process just now`);
}

/** The living process that holds a run, if there is one. Looks only. @param others tells of holders out of sight. */
export async function livingHolder(path: string, others: LockWatch = watch): Promise<Holder | undefined> {
  const holder = parseHolder(await readFile(path, 'utf8').catch(() => ''));
  if (!holder) return undefined;
  const isLiving = isVisible(holder) ? isAlive(holder) : await others.isTouched(path);
  return isLiving ? holder : undefined;
}

function here(): Pick<Holder, 'host' | 'namespace'> {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // A system without namespaces.
  }
  return { host: hostname(), namespace };
}

function isVisible({ host, namespace }: Holder): boolean {
  const mine = here();
  return host === mine.host && (namespace === mine.namespace || namespace === '');
}

/** Writes a file that nobody sees empty or half. @returns false where there is one of that name. */
async function placeWhole(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, text);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(draft, { force: true });
  }
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

/** Of a holder that can be seen from here. */
function isAlive(holder: Holder): boolean {
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
