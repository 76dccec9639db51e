import { InputError } from '../errors.js';

/** Several times as long as anything took so far is no longer patience. */
const PATIENCE_FACTOR = 5;
const MAX_TICK_MS = 1_000;

/** Generous: one step of the largest network on a slow processor takes a minute; what hangs wastes so much, once. */
const DEFAULT_HANG_TIMEOUT_S = 600;

/**
 * `NESGD_HANG_TIMEOUT_S`: how long a trainer may show no progress, not one training step, before it is killed and its
 * job done again.
 * @throws InputError unless it is not set, or a number above 0.
 */
export function hangTimeoutMs(env: NodeJS.ProcessEnv): number {
  const seconds = Number(env.NESGD_HANG_TIMEOUT_S || DEFAULT_HANG_TIMEOUT_S);
  if (seconds > 0 && seconds < 1e6) return 1000 * seconds;
  throw new InputError(
    'HANG_TIMEOUT',
    `NESGD_HANG_TIMEOUT_S is ${env.NESGD_HANG_TIMEOUT_S}: give seconds, such as 600`,
  );
}

/**
 * Calls `onHang` once when signs of life stay away for longer than `atLeastMs`, and than five times the longest silence
 * that a sign has ended so far.
 *
 * It counts its own ticks instead of reading a clock: a machine that was suspended, or a process that was stopped and
 * goes on, has not been waiting.
 */
export class Watchdog {
  readonly #timer: NodeJS.Timeout;
  readonly #tickMs: number;
  #silentMs = 0;
  #longestMs = 0;

  constructor(
    private readonly atLeastMs: number,
    private readonly onHang: (silentMs: number) => void,
  ) {
    this.#tickMs = Math.min(MAX_TICK_MS, atLeastMs / 4);
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  sign(): void {
    this.#longestMs = Math.max(this.#longestMs, this.#silentMs);
    this.#silentMs = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#silentMs += this.#tickMs;
    if (this.#silentMs <= Math.max(this.atLeastMs, PATIENCE_FACTOR * this.#longestMs)) return;
    this.stop();
    this.onHang(this.#silentMs);
  }
}
