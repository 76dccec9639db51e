import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { type Cli, childrenOf, type Workplace } from '../support/cli.js';
import { SeverableProxy } from './severable-proxy.js';
import { TestBroker } from './test-broker.js';

const WORKER = fileURLToPath(new URL('../../apps/worker/dist/main.js', import.meta.url));

/**
 * All processes of one run, each started again when it has ended, as an operator's supervisor would: broker, two
 * workers, coordinator. Workers and coordinator reach the broker over cables that can be cut.
 */
export class Cast {
  readonly #workers: ChildProcess[] = [];
  #coordinator: Cli | undefined;
  #over = false;
  /** Resolves with the coordinator that came to the end of the run, rejects when one fails. */
  readonly finished: Promise<Cli>;
  #finish: (cli: Cli) => void = () => {};
  #fail: (error: Error) => void = () => {};

  private constructor(
    private readonly workplace: Workplace,
    private readonly runArgs: readonly string[],
    readonly broker: TestBroker,
    readonly workersCable: SeverableProxy,
    readonly coordinatorsCable: SeverableProxy,
  ) {
    this.finished = new Promise<Cli>((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    this.finished.catch(() => {}); // Whoever awaits it later has the error.
  }

  static async assemble(workplace: Workplace, experiment: string, workers: number): Promise<Cast> {
    const broker = await TestBroker.start(workplace.folder);
    const cables = [await SeverableProxy.to(broker.port), await SeverableProxy.to(broker.port)] as const;
    const cast = new Cast(workplace, [experiment], broker, ...cables);
    for (let i = 0; i < workers; i++) cast.#startWorker(i);
    cast.#startCoordinator();
    return cast;
  }

  get coordinator(): Cli {
    return this.#coordinator!;
  }

  /** The living workers. */
  get workers(): ChildProcess[] {
    return this.#workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  }

  async trainers(): Promise<number[]> {
    return (await Promise.all(this.workers.map(({ pid }) => childrenOf(pid ?? -1, 'trainer/main.js')))).flat();
  }

  /** Everything on the broker is forgotten. */
  async flush(): Promise<void> {
    const connection = new Redis(this.broker.port, { maxRetriesPerRequest: null });
    connection.on('error', () => {});
    await connection.flushall();
    connection.disconnect();
  }

  async disband(): Promise<void> {
    this.#over = true;
    for (const worker of this.workers) worker.kill('SIGKILL');
    this.#coordinator?.child.kill('SIGKILL');
    for (const cable of [this.workersCable, this.coordinatorsCable]) cable.close();
    await this.broker.kill();
  }

  #startWorker(place: number): void {
    const worker = spawn(process.execPath, [WORKER], {
      env: {
        ...this.workplace.env,
        REDIS_URL: `redis://127.0.0.1:${this.workersCable.port}`,
        NESGD_WORKER_NAME: `worker-${place + 1}`,
        NESGD_HANG_TIMEOUT_S: '5',
      },
      stdio: 'ignore',
    });
    this.#workers[place] = worker;
    worker.once('exit', () => {
      if (!this.#over) this.#startWorker(place);
    });
  }

  #startCoordinator(): void {
    // Killed before there is a run, it is simply started again.
    const command = existsSync(join(this.workplace.runs, 'r', 'journal.jsonl')) ? 'resume' : 'run';
    const how = [
      '--workers',
      '0',
      '--attempts',
      '1000',
      '--broker',
      `redis://127.0.0.1:${this.coordinatorsCable.port}`,
    ];
    const what = command === 'run' ? [...this.runArgs, '--run-id', 'r'] : ['r'];
    const cli = this.workplace.start([command, ...what, ...how]);
    this.#coordinator = cli;
    void cli.exited.then(({ code, signal }) => {
      if (this.#over) return;
      if (code === 0) this.#finish(cli);
      // A broker that is away at the start is reported; an operator starts the coordinator again.
      else if (signal === 'SIGKILL' || /BROKER|broker .* cannot be used/.test(cli.stderr)) this.#startCoordinator();
      else this.#fail(new Error(`the coordinator ended with ${code ?? signal}:\n${cli.stderr}`));
    });
  }
}
