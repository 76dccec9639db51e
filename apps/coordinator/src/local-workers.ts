import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NesgdError } from '@nesgd/core/errors';
import { type CardPlace, placeEnvironment } from '@nesgd/core/machine';
import type { Watch } from './run-events.js';

export interface LocalWorkersOptions {
  readonly count: number;
  /** Cards that they compute on, one each. */
  readonly places?: readonly CardPlace[];
  /** Of their names; by default `worker`. */
  readonly prefix?: string;
  readonly redisUrl: string;
  readonly cacheRoot: string;
  /** Each worker's log goes to `<folder>/<name>.log`, as JSON lines. */
  readonly logFolder: string;
  readonly watch: Watch;
  /** The runs they are started for: what this machine lacks for its jobs is then an error, not a reason to wait for others. */
  readonly runIds?: readonly string[];
  /** Called when the last of them died too often to be started again: nobody here will do the jobs. */
  readonly onLost?: (error: NesgdError) => void;
  /** Called when the last of them was told to end. */
  readonly onDrained?: () => void;
}

/** A worker that dies this often within a minute will not get better. */
const MAX_DEATHS_A_MINUTE = 5;
/** Longer than a worker itself takes to end without a broker. */
const CLOSE_TIMEOUT_MS = 25_000;

/** `worker-1`, `worker-2`, ... */
export function localWorkerNames(count: number, prefix = 'worker'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);
}

/** The worker processes that this run starts on its own machine, each replaced when it dies. */
export class LocalWorkers {
  readonly #children = new Map<string, ChildProcess>();
  #closing = false;

  constructor(private readonly options: LocalWorkersOptions) {
    mkdirSync(options.logFolder, { recursive: true });
    const names = localWorkerNames(options.count, options.prefix);
    for (const [i, name] of names.entries()) this.#start(name, options.places?.[i], []);
  }

  /** Process ids by worker name. */
  get pids(): ReadonlyMap<string, number> {
    return new Map([...this.#children].flatMap(([name, child]) => (child.pid ? [[name, child.pid]] : [])));
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(
      [...this.#children.values()].map((child) => {
        const kill = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        if (child.connected) child.disconnect();
        return gone.then(() => clearTimeout(kill));
      }),
    );
  }

  #start(name: string, place: CardPlace | undefined, deaths: readonly number[]): void {
    const child = fork(fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url)), [], {
      env: {
        ...process.env,
        ...(place && placeEnvironment(place)),
        REDIS_URL: this.options.redisUrl,
        NESGD_CACHE: this.options.cacheRoot,
        NESGD_WORKER_NAME: name,
        NESGD_OWN_RUN: this.options.runIds?.join(',') ?? '',
        // They share our cache folder. Set to nothing rather than left out, as they read .env as well.
        NESGD_COORDINATOR: '',
        NESGD_SECRET: '',
        // Of a worker that stands alone: these live as long as their run.
        NESGD_WORKER_JOBS: '',
        NESGD_WORKER_IDLE_S: '',
        NESGD_STAY_DRAINED: '',
        NESGD_HEALTH_FILE: '',
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#children.set(name, child);
    const log = createWriteStream(join(this.options.logFolder, `${name}.log`), { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('close', () => log.end());

    let drained = false;
    child.on('message', (message) => {
      drained ||= (message as { type?: unknown }).type === 'drained';
    });
    child.once('exit', (code, signal) => {
      this.#children.delete(name);
      if (this.#closing) return;
      if (drained) {
        this.options.watch({ type: 'notice', text: `${name} was drained and has ended` });
        if (this.#children.size === 0) this.options.onDrained?.();
        return;
      }
      const now = performance.now();
      const recent = [...deaths.filter((at) => now - at < 60_000), now];
      const how = signal ? `was killed by ${signal}` : `ended with code ${code}`;
      if (recent.length > MAX_DEATHS_A_MINUTE) {
        this.options.watch({
          type: 'notice',
          text: `${name} ${how}, the ${recent.length}th time in a minute: it is not started again; see ${log.path}`,
        });
        if (this.#children.size === 0) this.options.onLost?.(workersLost(this.options.logFolder));
        return;
      }
      this.options.watch({ type: 'notice', text: `${name} ${how}; another takes its place` });
      this.#start(name, place, recent);
    });
  }
}

function workersLost(logFolder: string): NesgdError {
  return new NesgdError(
    'WORKERS_LOST',
    `none of this run's workers stays alive: their logs in ${logFolder} say why; once that is mended, "nesgd resume" goes on`,
  );
}
