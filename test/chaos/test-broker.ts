import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { findBrokerBinary } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';

/** A broker as an operator runs it: on a port of its own, its data on the disk. */
export class TestBroker {
  #server: ChildProcess | undefined;

  private constructor(
    private readonly binary: string,
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(folder: string): Promise<TestBroker> {
    const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
    if (!binary) throw new Error('wants a redis-server or valkey-server: "npm run setup" provisions one');
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen({ host: '127.0.0.1', port: 0 }, resolve));
    const address = probe.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    const broker = new TestBroker(binary, folder, port);
    broker.start();
    return broker;
  }

  /** With the data that an earlier server left. */
  start(): void {
    const settings = ['--bind', '127.0.0.1', '--port', `${this.port}`, '--dir', this.folder, '--save', ''];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'];
    this.#server = spawn(this.binary, [...settings, ...durable], { stdio: 'ignore' });
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }
}
