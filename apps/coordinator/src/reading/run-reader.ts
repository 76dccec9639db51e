import { Worker } from 'node:worker_threads';
import { InputError } from '@nesgd/core/errors';
import type { ListedRun, ListedSoon } from '@nesgd/core/view';
import type { RunOverview } from '../status/run-overview.js';
import type { JournalPart } from './journal-reading.js';
import type { FromThread, Request, ToThread } from './thread-messages.js';

/** The built one, also where this file is not: a thread loads no TypeScript. */
const THREAD = new URL('../../dist/reading/thread.js', import.meta.url);

type Value = Extract<FromThread, { type: 'done' }>['value'];

interface Waiting {
  resolve(value: Value): void;
  reject(error: Error): void;
  part(part: JournalPart): void;
}

/** One journal, read on and on; one `readOn` at a time. */
export interface RunReading {
  /**
   * Reads on from where it was read before.
   * @param part called with what is new; from line 0 on where the journal is another, or the thread is.
   * @throws InputError for a run that is not there or whose journal is damaged.
   */
  readOn(part: (part: JournalPart) => void): Promise<void>;
  /** Nobody wants it any more. */
  end(): void;
}

/**
 * Reads the runs of a folder in a thread of its own. A long journal takes seconds to parse and to check; whoever serves
 * pages, or conducts a run beside that, goes on meanwhile.
 */
export class RunReader {
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #requests = 0;
  #readings = 0;

  constructor(readonly runsFolder: string) {}

  /** As `RunList.read`. */
  async list(): Promise<ListedRun[]> {
    return (await this.#ask({ type: 'list' })) as ListedRun[];
  }

  /** As `RunList.readSoon`. */
  async listSoon(patienceMs: number): Promise<ListedSoon[]> {
    return (await this.#ask({ type: 'list', patienceMs })) as ListedSoon[];
  }

  /** As `overviewOf`. @throws InputError */
  async overview(runId: string): Promise<RunOverview> {
    return (await this.#ask({ type: 'overview', runId })) as RunOverview;
  }

  /** Begins at the start of the run's journal. */
  reading(runId: string): RunReading {
    const reading = this.#readings++;
    return {
      readOn: async (part) => {
        await this.#ask({ type: 'read', reading, runId }, part);
      },
      end: () => {
        if (this.#thread) this.#send(this.#thread, { type: 'forget', reading });
      },
    };
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #ask(request: Request, part: Waiting['part'] = () => {}): Promise<Value> {
    const thread = this.#thread ?? this.#start();
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#send(thread, request), { resolve, reject, part });
      thread.ref();
    });
  }

  #send(thread: Worker, request: Request): number {
    const id = this.#requests++;
    const message: ToThread = { id, request };
    thread.postMessage(message);
    return id;
  }

  #start(): Worker {
    const thread = new Worker(THREAD, { workerData: this.runsFolder });
    thread.on('message', (message: FromThread) => this.#receive(message));
    thread.on('error', (error) => this.#lose(thread, error));
    thread.on('exit', () => this.#lose(thread, new Error('the thread that reads journals ended')));
    this.#thread = thread;
    return thread;
  }

  #receive(message: FromThread): void {
    const waiting = this.#waiting.get(message.id);
    if (message.type === 'part') waiting?.part(message.part);
    else this.#waiting.delete(message.id);
    if (message.type === 'done') waiting?.resolve(message.value);
    if (message.type === 'refused') waiting?.reject(new InputError(message.code, message.message));
    if (this.#waiting.size === 0) this.#thread?.unref(); // A process that waits for nothing more may end.
  }

  /** All who wait have the error; the next to ask has another thread. */
  #lose(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
