import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that trains steps on demand: see training-worker.mjs and peers/pytorch_training.py. */
export class StepProcess {
  #child;
  #lines;
  /** What computes, with its version. */
  description = '';

  /** Waits until it is ready. */
  static async start(command, args) {
    const started = new StepProcess(command, args);
    started.description = (await started.#answer()).description;
    return started;
  }

  constructor(command, args) {
    // TensorFlow and PyTorch both write notices to standard error: shown only when the process fails.
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.errors = '';
    this.#child.stderr.on('data', (data) => {
      this.errors += data;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject).on('close', resolve);
    });
    this.ended.catch(() => {});
  }

  /** @returns seconds that the steps took. */
  async train(steps) {
    this.#child.stdin.write(`${steps}\n`);
    return (await this.#answer()).seconds;
  }

  async stop() {
    this.#child.stdin.end();
    await this.ended;
  }

  async #answer() {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    await this.ended;
    throw new Error(
      `${this.#child.spawnargs.join(' ')} ended:\n${this.errors.trim().split('\n').slice(-5).join('\n')}`,
    );
  }
}
