import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A machine as far as the network goes: a namespace with nothing but its loopback and one end of a cable. */
export interface Machine {
  readonly address: string;
  spawn(command: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }): ChildProcess;
}

export interface TwoMachines {
  readonly here: Machine;
  readonly elsewhere: Machine;
  /** Pulls the cable, or plugs it in again. */
  cable(state: 'up' | 'down'): Promise<void>;
  /** Ends what still runs on them, and removes them. */
  remove(): Promise<void>;
}

/**
 * Two network namespaces and a pair of virtual Ethernet devices between them. They reach each other and nothing else.
 * @throws Error saying what is missing, where the system does not let us.
 */
export async function twoMachines(): Promise<TwoMachines> {
  const id = randomBytes(3).toString('hex');
  const [hereName, elsewhereName, hereEnd, elsewhereEnd] = [`nesgd-a-${id}`, `nesgd-b-${id}`, `na${id}`, `nb${id}`];
  const [hereAddress, elsewhereAddress] = ['10.213.7.1', '10.213.7.2'];
  const processes: ChildProcess[] = [];

  const machine = (name: string, address: string): Machine => ({
    address,
    spawn(command, args, options) {
      // `ip netns exec` becomes the command: the process id is the command's own.
      const child = spawn('ip', ['netns', 'exec', name, command, ...args], {
        ...options,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      processes.push(child);
      return child;
    },
  });
  const remove = async () => {
    const gone = processes.map((child) => {
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      // Not `close`: their own children hold the pipes until they notice.
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      return exited;
    });
    await Promise.all(gone);
    for (const name of [hereName, elsewhereName]) await ip('netns', 'delete', name).catch(() => {});
  };

  try {
    for (const name of [hereName, elsewhereName]) {
      await ip('netns', 'add', name);
      await ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    await ip(
      '-n',
      hereName,
      'link',
      'add',
      hereEnd,
      'type',
      'veth',
      'peer',
      'name',
      elsewhereEnd,
      'netns',
      elsewhereName,
    );
    await ip('-n', hereName, 'address', 'add', `${hereAddress}/30`, 'dev', hereEnd);
    await ip('-n', elsewhereName, 'address', 'add', `${elsewhereAddress}/30`, 'dev', elsewhereEnd);
    await ip('-n', hereName, 'link', 'set', hereEnd, 'up');
    await ip('-n', elsewhereName, 'link', 'set', elsewhereEnd, 'up');
  } catch (cause) {
    await remove();
    throw new Error(
      `these tests make network namespaces, for which they need root and the command "ip" (Debian: iproute2): ${(cause as Error).message}`,
      { cause },
    );
  }
  return {
    here: machine(hereName, hereAddress),
    elsewhere: machine(elsewhereName, elsewhereAddress),
    cable: async (state) => void (await ip('-n', hereName, 'link', 'set', hereEnd, state)),
    remove,
  };
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
