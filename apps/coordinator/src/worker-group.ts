import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL('../../worker/dist/main.js', import.meta.url));
/** A worker that dies this often within a minute will not get better. */
const MAX_DEATHS_A_MINUTE = 5;

/**
 * Worker processes that run until they are told to stop; of several, each that dies is replaced. A single one that dies
 * is for whoever started it, as a service manager would, to start again.
 * @param environments what each is told beside this process's environment.
 * @returns the exit code: of the first that ended badly, else 0.
 */
export async function runWorkers(environments: readonly Record<string, string>[]): Promise<number> {
  let stopping = false;
  const children = new Set<ChildProcess>();
  // Both signals end the workers in their own time, and we wait for that. Ctrl-C they get from the terminal as well, and
  // leave it to us, as every worker with a parent does.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      stopping = true;
      for (const child of children) child.kill('SIGTERM');
    });
  }
  const keep = async (environment: Record<string, string>): Promise<number> => {
    let deaths: number[] = [];
    for (;;) {
      const code = await untilExit(environment, children);
      if (code === 0 || stopping || environments.length === 1) return code;
      const now = performance.now();
      deaths = [...deaths.filter((at) => now - at < 60_000), now];
      if (deaths.length > MAX_DEATHS_A_MINUTE) return code;
    }
  };
  const codes = await Promise.all(environments.map(keep));
  return codes.find((code) => code !== 0) ?? 0;
}

function untilExit(environment: Record<string, string>, children: Set<ChildProcess>): Promise<number> {
  const child = spawn(process.execPath, [WORKER], {
    // Over the channel it notices when this process is killed, and ends as well.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...environment },
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      children.delete(child);
      resolve(code ?? 1);
    });
  });
}
