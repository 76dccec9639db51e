import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { NesgdError } from '@nesgd/core/errors';
import { type RunFolder, runCommand, runHolder } from '@nesgd/core/run';
import type { Crew } from '../crew.js';
import { plural } from '../display/format.js';
import type { Watch } from '../run-events.js';
import { type ControlState, readControlState, writeControlState } from './control-state.js';
import { type Addressee, OrderBox } from './order-box.js';
import type { Answer, Order } from './orders.js';

export interface RunControlOptions {
  readonly run: RunFolder;
  readonly crew: Pick<Crew, 'dispatcher' | 'workers' | 'drain'>;
  /** Of the run's jobs; undefined: what it was told before. */
  readonly priority: number | undefined;
  /** Ends the run as Ctrl-C does. */
  readonly stop: () => void;
  readonly watch: Watch;
}

/** How long a broker may take to hear of a change before the order is answered without it. */
const BROKER_PATIENCE_MS = 5_000;

/**
 * Follows what a run is told while it goes on. None of it changes what is measured: jobs are held back, put before
 * others or done again, and give the same bits whenever they are done.
 */
export class RunControl {
  readonly #box: OrderBox;

  private constructor(
    private readonly options: RunControlOptions,
    me: Addressee,
    private state: ControlState,
  ) {
    this.#box = new OrderBox(options.run.path, me, (order) => this.#follow(order));
  }

  /** A run always begins to go on; only its priority is what it was when an earlier process worked on it. */
  static async start(options: RunControlOptions): Promise<RunControl> {
    const { path, id } = options.run;
    const me = await runHolder(dirname(path), id);
    if (!me) throw new NesgdError('RUN_LOST', `the lock of run ${id} has been removed: another process may take it`);
    const known = await readControlState(path);
    const state = { paused: false, stopped: false, priority: options.priority ?? known.priority };
    if (!isDeepStrictEqual(state, known)) await writeControlState(path, state);
    if (state.priority !== 0) await options.crew.dispatcher.prioritise(id, state.priority);
    return new RunControl(options, me, state);
  }

  close(): Promise<void> {
    return this.#box.close();
  }

  get #standing(): Pick<ControlState, 'paused' | 'priority'> {
    const { paused, priority } = this.state;
    return { paused, priority };
  }

  async #follow(order: Order): Promise<Answer> {
    try {
      if (order.type === 'workers') {
        const workers = await withPatience(this.options.crew.workers());
        if (!workers) throw new NesgdError('BROKER_SILENT', 'the broker does not answer just now');
        return { done: true, ...this.#standing, message: '', workers };
      }
      const message = await this.#do(order);
      return { done: true, ...this.#standing, message };
    } catch (error) {
      const code = error instanceof NesgdError ? error.code : 'FAILED';
      return { done: false, code, message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** @returns what it came to, for people. */
  async #do(order: Exclude<Order, { type: 'workers' }>): Promise<string> {
    switch (order.type) {
      case 'pause':
        return this.#pause(order.now);
      case 'resume':
        return this.#resume();
      case 'priority':
        return this.#prioritise(order.priority);
      case 'drain':
        await this.options.crew.drain(order.worker);
        return `worker ${order.worker} finishes its job, takes no other, and ends`;
      case 'stop':
        this.options.watch({ type: 'notice', text: 'told to stop' });
        await this.#change({ stopped: true });
        this.options.stop();
        return `run ${this.options.run.id} stops: ${this.#goesOn()}`;
    }
  }

  async #pause(now: boolean): Promise<string> {
    const { run, crew, watch } = this.options;
    const before = this.state.paused ? 'is paused already' : 'is paused';
    // First, so that a run whose broker refuses to give jobs back can be resumed.
    await this.#change({ paused: true });
    const underWay = await withPatience(crew.dispatcher.hold(run.id, now));
    const rest =
      underWay === undefined
        ? 'the broker does not answer just now; what waits there is taken back once it does'
        : underWay === 0
          ? 'no job is under way'
          : `${plural(underWay, 'job')} under way, ${underWay === 1 ? 'which is' : 'which are'} finished`;
    watch({ type: 'notice', text: `paused, ${rest}; ${this.#goesOn()}` });
    return `run ${run.id} ${before}: ${rest}, and no other begins; ${this.#goesOn()}`;
  }

  async #resume(): Promise<string> {
    const { run, crew, watch } = this.options;
    if (!this.state.paused)
      throw new NesgdError('RUN_STATE', `run ${run.id} is not paused: process ${process.pid} is working on it`);
    await this.#change({ paused: false });
    await withPatience(crew.dispatcher.release(run.id));
    watch({ type: 'notice', text: 'goes on' });
    return `run ${run.id} goes on`;
  }

  async #prioritise(priority: number): Promise<string> {
    const { run, crew, watch } = this.options;
    await this.#change({ priority });
    await withPatience(crew.dispatcher.prioritise(run.id, priority));
    watch({ type: 'notice', text: `priority ${priority}` });
    return `run ${run.id} has priority ${priority} among the runs that share its workers`;
  }

  #goesOn(): string {
    return `"${runCommand('resume', this.options.run)}" goes on`;
  }

  async #change(change: Partial<ControlState>): Promise<void> {
    this.state = { ...this.state, ...change };
    await writeControlState(this.options.run.path, this.state);
  }
}

/** @returns undefined where the broker takes longer; what it was asked is then done when it answers. */
async function withPatience<T>(asked: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, BROKER_PATIENCE_MS, undefined);
  });
  try {
    return await Promise.race([asked, patience]);
  } finally {
    clearTimeout(timer);
    asked.catch(() => {}); // Its jobs are looked up again in a while.
  }
}
