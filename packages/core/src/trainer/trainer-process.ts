import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NesgdError, UnwantedJobError } from '../errors.js';
import { type CardPlace, placeEnvironment } from '../machine/index.js';
import type { Job, JobResult, Progress, Runtime } from '../protocol/index.js';
import type { Snapshot } from '../storage/index.js';
import { errorFromMessage, type FromTrainer, fromTrainerSchema, type Inference, type ToTrainer } from './messages.js';
import { outOfMemory, saysOutOfMemory } from './out-of-memory.js';
import { trainerEnvironment } from './trainer-environment.js';
import { hangTimeoutMs, Watchdog } from './watchdog.js';

export interface TrainerOptions {
  readonly runtime: Runtime;
  /** Where data sets and weights are found by hash. */
  readonly cacheRoot: string;
  /** The one card that jobs for a card are done on. Jobs for a processor see none. */
  readonly place?: CardPlace | undefined;
  /** Snapshots of trainings: see ExecutorOptions. */
  readonly snapshotEpochs?: number | undefined;
  /** Without a sign of life for so long (see Watchdog) the process is killed. Default: 600 s. */
  readonly hangTimeoutMs?: number;
  /** Called with each line the trainer writes; its output never mixes with ours. */
  readonly onOutput?: (line: string) => void;
}

export interface JobHandlers {
  readonly onProgress?: (progress: Progress) => void;
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** Something went otherwise than it should, without changing the result. */
  readonly onNotice?: (text: string) => void;
  /**
   * Aborting it ends the job at its next step, its state kept unless the reason is an UnwantedJobError; where that takes
   * more than seconds the trainer is killed.
   */
  readonly signal?: AbortSignal;
}

/** The trainer process ended while (or before) it had work to do. The same job may well succeed elsewhere. */
export class TrainerDiedError extends NesgdError {
  constructor(
    readonly exitCode: number | null,
    readonly exitSignal: NodeJS.Signals | null,
    lastOutput: string,
  ) {
    const how = exitSignal ? `was killed by ${exitSignal}` : `ended with code ${exitCode}`;
    super('TRAINER_DIED', `the trainer process ${how}${lastOutput ? `; its last words: ${lastOutput}` : ''}`, true);
  }
}

/** The trainer made no step for longer than it may and was killed. */
export class TrainerHungError extends NesgdError {
  constructor(readonly silentMs: number) {
    super(
      'TRAINER_HUNG',
      `the trainer process made no progress for ${Math.round(silentMs / 1000)} s and was killed (NESGD_HANG_TIMEOUT_S sets how long it may)`,
      true,
    );
  }
}

/** A step may take long, and a trainer that hangs hears nothing. */
const ABORT_GRACE_MS = 5_000;
/** Time to write its state down as well. */
const PUT_ASIDE_GRACE_MS = 8_000;

/**
 * A child process that trains. TensorFlow.js blocks its thread for whole steps and is not to be trusted with memory
 * for ever, so it lives in a process of its own: this one stays responsive (and keeps its queue locks), and the
 * child can be killed and replaced.
 *
 * One job at a time. The child exits by itself when this process is gone, so no orphan goes on computing.
 */
export class TrainerProcess {
  #child: ChildProcess;
  #engine = '';
  #nextId = 1;
  #running:
    | { id: number; handlers: JobHandlers; resolve: (answer: Answer) => void; reject: (e: Error) => void }
    | undefined;
  #lastOutput = '';
  #watchdog: Watchdog | undefined;
  #stopping = false;
  #lastSignAt = performance.now();
  #isPinged = false;
  /** Resolves when the process is gone, whoever ended it. */
  readonly exited: Promise<void>;

  private constructor(
    child: ChildProcess,
    readonly options: TrainerOptions,
  ) {
    this.#child = child;
    this.exited = new Promise((resolve) => child.once('close', () => resolve()));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        for (const line of text.split('\n')) {
          if (line.trim() === '') continue;
          // TensorFlow greets with information whatever its log level; that is nobody's last word.
          if (!/: I tensorflow\//.test(line)) this.#lastOutput = line;
          options.onOutput?.(line);
        }
      });
    }
  }

  /** Forks a trainer and waits until its engine is loaded. @throws the engine's own error where it cannot load. */
  static async start(options: TrainerOptions): Promise<TrainerProcess> {
    const child = fork(fileURLToPath(new URL('./main.js', import.meta.url)), [], {
      env: {
        ...process.env,
        NESGD_TRAINER: JSON.stringify({
          runtime: options.runtime,
          cacheRoot: options.cacheRoot,
          snapshotEpochs: options.snapshotEpochs,
        }),
        ...trainerEnvironment(options.runtime.threads),
        ...(options.place && placeEnvironment(options.place)),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const trainer = new TrainerProcess(child, options);
    const ready = new Promise<void>((resolve, reject) => {
      child.on('message', (raw) => trainer.#receive(fromTrainerSchema.parse(raw), resolve, reject));
      child.once('error', reject);
      trainer.#watch(reject);
      child.once('close', (code, signal) => {
        trainer.#watchdog?.stop();
        const words = trainer.#lastOutput;
        const died = saysOutOfMemory(words) ? outOfMemory(words) : new TrainerDiedError(code, signal, words);
        reject(died);
        trainer.#settle()?.reject(died);
      });
    });
    await ready.finally(() => trainer.#watchdog?.stop());
    return trainer;
  }

  /** Name and version of the engine, as results quote it. */
  get engine(): string {
    return this.#engine;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && !this.#stopping;
  }

  /** Runs one job. @throws TrainerDiedError when the process ends under it, else the job's own NesgdError. */
  async run(job: Job, handlers: JobHandlers = {}): Promise<Done> {
    const answer = await this.#ask((id) => ({ type: 'job', id, job }), handlers);
    if (answer.type !== 'result') throw new Error(`a trainer answered a job with ${answer.type}`);
    return { result: answer.result, seconds: answer.seconds };
  }

  /** What a network makes of images, in eval mode. @returns logits `[N][classes]`. @throws as `run`. */
  async infer(inference: Inference): Promise<number[][]> {
    const answer = await this.#ask((id) => ({ type: 'infer', id, inference }), {});
    if (answer.type !== 'logits') throw new Error(`a trainer answered an inference with ${answer.type}`);
    return answer.logits;
  }

  async #ask(message: (id: number) => ToTrainer, handlers: JobHandlers): Promise<Answer> {
    if (this.#running) throw new Error('a trainer runs one job at a time');
    if (!this.alive) throw new TrainerDiedError(this.#child.exitCode, this.#child.signalCode, '');
    const id = this.#nextId++;
    let killing: NodeJS.Timeout | undefined;
    const abort = () => {
      const wanted = !(handlers.signal?.reason instanceof UnwantedJobError);
      this.#send({ type: 'abort', id, wanted });
      killing = setTimeout(() => this.#kill(), wanted ? PUT_ASIDE_GRACE_MS : ABORT_GRACE_MS);
    };
    return new Promise<Answer>((resolve, reject) => {
      this.#running = { id, handlers, resolve, reject };
      handlers.signal?.addEventListener('abort', abort, { once: true });
      this.#watch((error) => this.#settle()?.reject(error));
      this.#send(message(id));
      if (handlers.signal?.aborted) abort();
    }).finally(() => {
      handlers.signal?.removeEventListener('abort', abort);
      clearTimeout(killing);
      this.#watchdog?.stop();
    });
  }

  /**
   * Asks the process for a sign of life, which it gives between two steps at the latest. @returns how long the last one
   * is ago, in milliseconds: asked every few seconds, it grows where the process hangs.
   */
  ping(): number {
    // One question is enough for a process that does not read them.
    if (!this.#isPinged) this.#send({ type: 'ping' });
    this.#isPinged = true;
    return performance.now() - this.#lastSignAt;
  }

  /** Ends the process: it is asked first and killed after `graceMs`. */
  async stop(graceMs = 2_000): Promise<void> {
    this.#stopping = true;
    // Not `disconnect`: after it, Node emits no `close` for the child.
    this.#send({ type: 'stop' });
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(kill);
  }

  /** From now on a silence of this process ends it. */
  #watch(report: (error: TrainerHungError) => void): void {
    this.#watchdog = new Watchdog(this.options.hangTimeoutMs ?? hangTimeoutMs({}), (silentMs) => {
      report(new TrainerHungError(silentMs));
      this.#kill();
    });
  }

  #kill(): void {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
  }

  #receive(message: FromTrainer, ready: () => void, failed: (error: Error) => void): void {
    this.#lastSignAt = performance.now();
    if (message.type === 'pong') {
      this.#isPinged = false;
    } else if (message.type === 'ready') {
      this.#engine = message.engine;
      ready();
    } else if (message.type === 'error' && message.id === null) {
      failed(errorFromMessage(message.error));
    } else if (message.id !== this.#running?.id) {
      return; // A late word of a job that was given up.
    } else if (message.type === 'alive') {
      this.#watchdog?.sign();
    } else if (message.type === 'progress') {
      this.#running.handlers.onProgress?.(message.progress);
    } else if (message.type === 'snapshot') {
      this.#running.handlers.onSnapshot?.(message.snapshot);
    } else if (message.type === 'notice') {
      this.#running.handlers.onNotice?.(message.text);
    } else if (message.type === 'error') {
      this.#settle()?.reject(errorFromMessage(message.error));
    } else {
      this.#settle()?.resolve(message);
    }
  }

  #settle() {
    const running = this.#running;
    this.#running = undefined;
    return running;
  }

  #send(message: ToTrainer): void {
    // A send can race with the child's death; `close` then rejects the job.
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

/** What ends a request well. */
type Answer = Extract<FromTrainer, { type: 'result' | 'logits' }>;

export interface Done {
  readonly result: JobResult;
  readonly seconds: number;
}
