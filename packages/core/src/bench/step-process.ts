import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NesgdError } from '../errors.js';
import { errorFromMessage } from '../trainer/messages.js';
import { trainerEnvironment } from '../trainer/trainer-environment.js';
import { type StepAnswer, type StepRequest, type StepSettings, stepAnswerSchema } from './messages.js';

/** A process that trains for the benchmark did not start, or ended before it was asked to. */
export class StepProcessError extends NesgdError {
  constructor(command: string, how: string, lastOutput: string) {
    super('STEP_PROCESS', `${command} ${how}${lastOutput ? `; its last words: ${lastOutput}` : ''}`);
  }
}

/** One of ours, with the environment that trainers have. @throws what `StepProcess.start` throws. */
export function startSteps(settings: StepSettings): Promise<StepProcess> {
  return StepProcess.start(process.execPath, [fileURLToPath(new URL('./step-main.js', import.meta.url))], settings, {
    env: { ...process.env, ...trainerEnvironment(settings.threads) },
  });
}

/** A process that trains steps on demand, ours or a peer's; it keeps its network from one request to the next. */
export class StepProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<string>;
  #lastOutput = '';
  /** What computes, with its version. */
  description = '';

  private constructor(
    readonly command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
  ) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    // TensorFlow and PyTorch both write notices to standard error: only the last line is kept, for when it ends badly.
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#lastOutput = text.trim().split('\n').at(-1) || this.#lastOutput;
    });
    child.stdin.on('error', () => {}); // It has ended: said by whoever waits for its answer.
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`did not start: ${error.message}`));
      child.once('close', (code, signal) =>
        resolve(signal ? `was ended by ${signal} (SIGKILL: out of memory?)` : `ended with code ${code}`),
      );
    });
  }

  /**
   * Waits until it is ready to train.
   * @param settings its last argument, as JSON.
   * @param limitMs after which it is given up.
   * @throws the engine's own error where that cannot load; StepProcessError.
   */
  static async start(
    command: string,
    args: readonly string[],
    settings: object,
    { env = process.env, limitMs }: { readonly env?: NodeJS.ProcessEnv; readonly limitMs?: number } = {},
  ): Promise<StepProcess> {
    const started = new StepProcess(command, [...args, JSON.stringify(settings)], env);
    let late = false;
    const limit = setTimeout(
      () => {
        late = true;
        started.#child.kill('SIGKILL');
      },
      limitMs ?? 2 ** 31 - 1,
    );
    try {
      started.description = started.#expect('ready', await started.#answer());
      return started;
    } catch (error) {
      if (late) throw new StepProcessError(command, `was not ready after ${(limitMs ?? 0) / 1000} s`, '');
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  /** @returns seconds that the steps took. */
  async train(steps: number): Promise<number> {
    return this.#expect('seconds', await this.#ask({ do: 'train', steps }));
  }

  /** @returns MiB, the most that were resident since it began. */
  async peakMemoryMb(): Promise<number> {
    return this.#expect('peakMb', await this.#ask({ do: 'memory' }));
  }

  /** One of ours alone: what the machine's arithmetic gives on this engine and these threads (see matmul.ts). */
  async matmulGflops(): Promise<number> {
    return this.#expect('gflops', await this.#ask({ do: 'matmul' }));
  }

  /** Ends it, killed where it takes long. */
  async stop(graceMs = 5_000): Promise<void> {
    this.#child.stdin?.end();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    await this.#ended;
    clearTimeout(kill);
  }

  #ask(request: StepRequest): Promise<StepAnswer> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return this.#answer();
  }

  async #answer(): Promise<StepAnswer> {
    const { value, done } = await this.#lines.next();
    if (!done) return stepAnswerSchema.parse(JSON.parse(value));
    throw new StepProcessError(this.command, await this.#ended, this.#lastOutput);
  }

  #expect(key: 'ready', answer: StepAnswer): string;
  #expect(key: 'seconds' | 'peakMb' | 'gflops', answer: StepAnswer): number;
  #expect(key: string, answer: StepAnswer): string | number {
    if ('error' in answer) throw errorFromMessage(answer.error);
    const value = new Map<string, string | number>(Object.entries(answer)).get(key);
    if (value === undefined) throw new Error(`wanted ${key}, got ${JSON.stringify(answer)}`);
    return value;
  }
}
