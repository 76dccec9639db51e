import { registeredWorkers } from '@nesgd/core/protocol';
import type { Redis } from 'ioredis';
import { plural } from './display/format.js';
import type { Watch } from './run-events.js';

const LOOK_EVERY_MS = 1_000;

export interface JoinWatchOptions {
  readonly connection: Redis;
  /** Workers of this run's own, which do not count: of the dead the broker knows for some seconds yet. */
  readonly own: readonly string[];
  /** How one joins. */
  readonly advice: string;
  readonly watch: Watch;
}

/**
 * For a run that lives on workers of others: says how many are there, what to do where there are none, and when the
 * first joins or the last leaves. Without it such a run would wait in silence.
 */
export class JoinWatch {
  #timer: NodeJS.Timeout | undefined;
  #known: number | undefined;

  constructor(private readonly options: JoinWatchOptions) {}

  /** Names of the workers that have joined. @throws where the broker does not answer. */
  async workers(): Promise<string[]> {
    const { connection, own } = this.options;
    return [...(await registeredWorkers(connection)).keys()].filter((name) => !own.includes(name));
  }

  /** May be called again. */
  start(): void {
    if (this.#timer) return;
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref();
    void this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    // A broker that is away has no workers that could do anything, and comes back with them.
    const workers = await this.workers().catch(() => undefined);
    if (!workers || (this.#known !== undefined && this.#known > 0 === workers.length > 0)) return;
    const news = this.#news(workers);
    this.#known = workers.length;
    this.options.watch({ type: 'notice', text: news });
  }

  #news(workers: readonly string[]): string {
    if (workers.length > 0) return `${plural(workers.length, 'worker')} connected: ${workers.join(', ')}`;
    const any = this.#known === undefined ? '' : ' any more';
    return `no worker is connected${any}, and this run starts none: it waits. ${this.options.advice}`;
  }
}
