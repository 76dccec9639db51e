import { rename, rm, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { type HealthReport, monotonicMs } from './health-report.js';

export interface HealthFileOptions {
  readonly path: string;
  readonly everyMs: number;
  readonly observe: () => Omit<HealthReport, 'writtenAtMs' | 'everyMs'>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Keeps the health file of a worker: whole at any time, and gone when the worker has ended in order. */
export class HealthFile {
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> | undefined;
  #hasFailed = false;

  constructor(private readonly options: HealthFileOptions) {
    this.#timer = setInterval(() => this.#write(), options.everyMs);
    this.#write();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await rm(this.options.path, { force: true }).catch(() => {});
  }

  #write(): void {
    const { path, everyMs, observe, log } = this.options;
    const report: HealthReport = { writtenAtMs: monotonicMs(), everyMs, ...observe() };
    this.#writing ??= writeFile(`${path}.new`, JSON.stringify(report))
      .then(() => rename(`${path}.new`, path))
      .catch((error) => {
        // Training goes on without; whoever watches the file sees that it is old.
        if (!this.#hasFailed) log.warn({ path, error: String(error) }, 'the health file cannot be written');
        this.#hasFailed = true;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }
}
