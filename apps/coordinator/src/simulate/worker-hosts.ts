import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NesgdError } from '@nesgd/core/errors';

/** Sent to a host, once. */
export interface HostOrder {
  readonly url: string;
  readonly names: readonly string[];
  readonly seed: number;
  readonly jobSeconds: number;
  /** Share of the attempts that end with a dead trainer. */
  readonly failures: number;
  /** SHA-256 of what stands for all weights. */
  readonly weights: string;
}

export type FromHost = { readonly type: 'ready' } | { readonly type: 'idle'; readonly idleMs: readonly number[] };

const MAX_WORKERS_A_HOST = 500;

/** The processes that simulated workers live in. */
export class WorkerHosts {
  private constructor(private readonly hosts: readonly ChildProcess[]) {}

  static async start(workers: number, order: Omit<HostOrder, 'names'>): Promise<WorkerHosts> {
    const names = Array.from({ length: workers }, (_, i) => `simulated-${i + 1}`);
    const hosts: ChildProcess[] = [];
    const ready: Promise<unknown>[] = [];
    for (let i = 0; i < workers; i += MAX_WORKERS_A_HOST) {
      const host = fork(fileURLToPath(new URL('./worker-host.js', import.meta.url)), [], { execArgv: [] });
      hosts.push(host);
      host.send({ ...order, names: names.slice(i, i + MAX_WORKERS_A_HOST) } satisfies HostOrder);
      ready.push(answerOf(host));
    }
    await Promise.all(ready);
    return new WorkerHosts(hosts);
  }

  /** Of each job, how long it waited although a worker was free. */
  async idleMs(): Promise<number[]> {
    const answers = this.hosts.map(async (host) => {
      host.send('report');
      const answer = await answerOf(host);
      return answer.type === 'idle' ? answer.idleMs : [];
    });
    return (await Promise.all(answers)).flat();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        if (host.exitCode !== null || host.signalCode !== null) return;
        const gone = once(host, 'exit');
        host.kill('SIGKILL'); // What they hold is of no use to anybody.
        await gone;
      }),
    );
  }
}

async function answerOf(host: ChildProcess): Promise<FromHost> {
  const died = once(host, 'exit').then(([code, signal]) => {
    throw new NesgdError('SIMULATION', `a process of simulated workers ended with ${signal ?? code}`);
  });
  const [message] = (await Promise.race([once(host, 'message'), died])) as [FromHost];
  died.catch(() => {});
  return message;
}
