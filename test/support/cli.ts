import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, defaultCacheRoot } from '@nesgd/core/storage';
import { stringify } from 'yaml';

export const MAIN = fileURLToPath(new URL('../../apps/coordinator/dist/main.js', import.meta.url));

/**
 * A folder of its own for one test: runs, and a cache that shares nothing with others but the native runtime.
 * Short locks let a dead worker be noticed in a second or two instead of twenty.
 */
export class Workplace {
  private constructor(
    readonly folder: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  static async create(): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'nesgd-test-'));
    const cache = join(folder, 'cache');
    await mkdir(cache);
    const shared = cacheFolder(defaultCacheRoot(process.env)).runtime;
    await mkdir(shared, { recursive: true });
    await symlink(shared, join(cache, 'runtime'));
    const { REDIS_URL: _, ...inherited } = process.env;
    return new Workplace(folder, {
      ...inherited,
      NESGD_CACHE: cache,
      NESGD_LOCK_DURATION_MS: '1500',
      NESGD_STALLED_INTERVAL_MS: '500',
    });
  }

  get runs(): string {
    return join(this.folder, 'runs');
  }

  /** Starts `nesgd ...args` as users do: a process of its own. @param main another checkout's entry. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}, main = MAIN): Cli {
    return this.#spawn(process.execPath, [main, ...args], env);
  }

  /** Starts what a message said to type, in a shell. */
  paste(command: string): Cli {
    return this.#spawn('sh', ['-c', `exec ${command}`], {});
  }

  #spawn(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Cli {
    const child = spawn(file, args, {
      cwd: this.folder,
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Cli(child);
  }

  /**
   * Kills what a test left running, whoever started it for the test, and removes the folder. Whatever a broker is made of
   * ends by itself when its owner is gone, server last: killed, its guardian could not see to that.
   */
  async destroy(): Promise<void> {
    await until('nothing of the test runs', async () => {
      const left = await this.#processes();
      const ofBrokers = new Set(left.flatMap(({ group, command }) => (BROKERS.test(command) ? [group] : [])));
      for (const { pid, group } of left) if (!ofBrokers.has(group)) kill(pid);
      return left.length === 0;
    });
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  /** Those with this folder's cache in their environment: children, theirs, and those that outlived their parents. */
  async #processes(): Promise<{ pid: number; group: number; command: string }[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const found = await Promise.all(
      pids.map(async (pid) => {
        if (!(await read(pid, 'environ')).includes(`${this.folder}/`)) return [];
        // Behind the name, in brackets: state, parent, group.
        const [, , group] = (await read(pid, 'stat')).split(') ').at(-1)?.split(' ') ?? [];
        return [{ pid: Number(pid), group: Number(group), command: await read(pid, 'cmdline') }];
      }),
    );
    return found.flat();
  }
}

/** The guardian, and the shell that is the server's parent. */
const BROKERS = /broker-guardian|nesgd-broker/;

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

export class Cli {
  stdout = '';
  stderr = '';
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** Waits for the end and gives the last line of standard output as JSON. @throws where the exit code is not 0. */
  async summary<T>(): Promise<T> {
    const { code, signal } = await this.exited;
    if (code !== 0) throw new Error(`nesgd ended with ${code ?? signal}:\n${this.stderr}`);
    return JSON.parse(this.stdout.trimEnd().split('\n').at(-1) ?? '') as T;
  }
}

/** Waits until `probe` gives something, or fails with what it was waiting for. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}`);
}

/** Whether a process is there and not a zombie, which its parent has not taken note of yet. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

/** Process ids of the children of a process whose command line has `text` in it. */
export async function childrenOf(pid: number, text: string): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = list.trim().split(' ').filter(Boolean).map(Number);
  const commands = await Promise.all(
    children.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
  );
  return children.filter((_, i) => commands[i]?.includes(text));
}

export async function writeExperiment(path: string, experiment: unknown): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, stringify(experiment));
  return path;
}
