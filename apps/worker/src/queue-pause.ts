import type { Worker } from 'bullmq';

/** In pauses: the longest is so many times the first. */
const LONGEST = 16;

/** A worker that could not do a job leaves the queue to others for a while, longer each time in a row. */
export class QueuePause {
  #inARow = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly worker: Pick<Worker, 'pause' | 'resume'>,
    private readonly firstMs: number,
  ) {}

  /** Called while the worker has the job in hand: it is not waited for. */
  async begin(): Promise<void> {
    const pauseMs = this.firstMs * Math.min(2 ** this.#inARow, LONGEST);
    this.#inARow += 1;
    await this.worker.pause(true);
    this.#timer = setTimeout(() => this.worker.resume(), pauseMs);
  }

  /** A job was done: the next pause is short again. */
  reset(): void {
    this.#inARow = 0;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
