import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NesgdError } from '../errors.js';
import type { FromGuardian, Guard } from './broker-guardian.js';
import { pingBroker } from './ping-broker.js';

export interface RunningBroker {
  /** `redis://:secret@127.0.0.1:port`. */
  readonly url: string;
  /** The server's process id now; another one after a restart. */
  readonly pid: number;
  /** The process that watches over it, now. */
  readonly guardianPid: number;
  /** Resolves when the broker is gone for good: stopped, or dead more often than its guardian restarts it. */
  readonly exited: Promise<void>;
  /** Ends the server and deletes its data. May be called twice. */
  stop(): Promise<void>;
}

export interface StartBrokerOptions {
  /** Where the server's data lies while it runs, in a folder of its own. Default: the system's temporary folder. */
  readonly folder?: string;
}

const START_TIMEOUT_MS = 20_000;
const PORT_ATTEMPTS = 3;
const MAX_GUARDIANS = 4;

/**
 * Starts a Redis-compatible server for this process: on a free port of the loopback interface, behind a random
 * password, never evicting, its jobs written down once a second.
 *
 * It lives as long as this process and no longer (see broker-guardian.ts), and so does its data: after a crash of the
 * coordinator a run is resumed from its journal, not from a queue.
 * @throws NesgdError `BROKER_START` with the server's own words.
 */
export async function startBroker(binary: string, options: StartBrokerOptions = {}): Promise<RunningBroker> {
  for (let attempt = 1; ; attempt++) {
    // Another process may take the port between our look and the server's bind; the server then says so and ends.
    const port = await freePort();
    try {
      return await startOnPort(binary, port, options.folder ?? tmpdir());
    } catch (error) {
      if (attempt === PORT_ATTEMPTS || !/in use/i.test(String(error))) throw error;
    }
  }
}

async function startOnPort(binary: string, port: number, parentFolder: string): Promise<RunningBroker> {
  await mkdir(parentFolder, { recursive: true });
  const folder = await mkdtemp(join(parentFolder, 'nesgd-broker-'));
  const password = randomBytes(16).toString('hex');
  const guard: Guard = { binary, folder, config: brokerConfig({ port, password, folder }) };
  let guardian: ChildProcess;
  let pid = -1;
  let failure: string | undefined;
  let stopping = false;
  let gone = () => {};
  const exited = new Promise<void>((resolve) => {
    gone = resolve;
  });

  const startGuardian = (restartsLeft: number) => {
    let ended = false; // It has said itself that the server is gone for good.
    guardian = fork(fileURLToPath(new URL('./broker-guardian.js', import.meta.url)), [], {
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    guardian.once('error', (error) => {
      failure ??= error.message;
      gone();
    });
    guardian.once('exit', (code, signal) => {
      if (stopping || ended || restartsLeft === 0) {
        failure ??= `its guardian ended (${signal ?? `code ${code}`})`;
        return gone();
      }
      // It was killed, and its server ended with it; the data is there, for another one.
      startGuardian(restartsLeft - 1);
      letGo(guardian);
    });
    guardian.on('message', (raw) => {
      const message = raw as FromGuardian;
      if (message.type === 'started') {
        pid = message.pid;
      } else {
        ended = true;
        failure ??= message.log;
      }
    });
    guardian.send(guard, () => {});
  };
  startGuardian(MAX_GUARDIANS - 1);

  const stop = async () => {
    stopping = true;
    guardian.ref(); // Or this process might end while it waits.
    if (guardian.connected) guardian.disconnect();
    await exited;
  };
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (pid === -1 || !(await pingBroker(port, password))) {
    if (performance.now() > deadline) failure ??= `no answer on port ${port} within ${START_TIMEOUT_MS / 1000} s`;
    if (failure !== undefined) {
      await stop();
      throw new NesgdError('BROKER_START', `the broker ${binary} did not start: ${failure}`, true);
    }
    await delay(20);
  }
  letGo(guardian!);
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    exited,
    stop,
    get pid() {
      return pid;
    },
    get guardianPid() {
      return guardian.pid ?? -1;
    },
  };
}

/** The guardian keeps nobody alive: when this process has nothing else to do it may end, and the broker with it. */
function letGo(guardian: ChildProcess): void {
  guardian.unref();
  guardian.channel?.unref();
}

function brokerConfig({ port, password, folder }: { port: number; password: string; folder: string }): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    'daemonize no',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction', // BullMQ's keys are not a cache.
    '',
  ].join('\n');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
