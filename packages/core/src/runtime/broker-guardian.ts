/**
 * The process between a coordinator and its broker: it starts the server, and ends it when the coordinator asks or is
 * gone (the IPC channel closes, also by `kill -9`). A server that dies by itself is started again on the same port
 * with the jobs it had written down.
 *
 * It leads a process group of its own, with the server in it: neither Ctrl-C in the terminal nor a signal to the
 * coordinator's group ends the broker before the coordinator has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Sent to the guardian, once. */
export interface Guard {
  readonly binary: string;
  /** The server's configuration file, as text: its secret appears on no command line. */
  readonly config: string;
  /** The server's working folder, deleted in the end. */
  readonly folder: string;
}

/** Sent by the guardian: a server runs; or it has ended for good, `log` being the end of what it wrote. */
export type FromGuardian =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'ended'; readonly log: string };

const MAX_RESTARTS = 3;
const RESTART_DELAY_MS = 100;
const TERM_GRACE_MS = 3_000;

/**
 * The server's parent, a shell, which ends it when file 3 closes: that is when this process is gone, by `kill -9` too.
 * Being its parent, it names a process that cannot be another one's by now. It says the server's process id on file 4.
 */
const KEEPER = `
exec 5<&0
"$1" - <&5 5<&- 3<&- 4>&- &
server=$!
exec 5<&-
echo "$server" >&4
exec 4>&-
{ cat <&3 >/dev/null; kill -KILL "$server"; } &
watcher=$!
wait "$server"
code=$?
kill -KILL "$watcher"
exit "$code"`;

interface Server {
  /** The shell. */
  readonly keeper: ChildProcess;
  /** Undefined until the shell has said it. */
  pid?: number;
}

let server: Server | undefined;
let ending = false;

function start(guard: Guard, restartsLeft: number): void {
  const missing = faultOf(guard.binary);
  if (missing !== undefined) {
    tell({ type: 'ended', log: missing }, () => finish(guard));
    return;
  }
  const logPath = join(guard.folder, 'server.log');
  const log = openSync(logPath, 'a');
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'nesgd-broker', guard.binary], {
    cwd: guard.folder,
    stdio: ['pipe', log, log, 'pipe', 'pipe'],
  });
  closeSync(log);
  const mine: Server = { keeper };
  server = mine;
  keeper.stdin?.on('error', () => {}); // A server that ended at once; `exit` tells.
  keeper.stdin?.end(guard.config);
  keeper.stdio[3]?.on('error', () => {});
  keeper.stdio[4]?.once('data', (chunk: Buffer) => {
    mine.pid = Number(String(chunk));
    tell({ type: 'started', pid: mine.pid });
  });
  let spawnError = '';
  keeper.once('error', (error) => {
    spawnError = error.message;
  });
  // Not `close`: a server whose shell was killed lives on for a moment and keeps files open.
  keeper.once('exit', (_, signal) => {
    keeper.stdio[3]?.destroy();
    if (signal !== null) signalServer(mine, 'SIGKILL');
    if (ending) {
      finish(guard);
    } else if (spawnError === '' && restartsLeft > 0) {
      setTimeout(() => start(guard, restartsLeft - 1), RESTART_DELAY_MS);
    } else {
      const lastWords = spawnError || readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-3).join(' | ');
      tell({ type: 'ended', log: lastWords }, () => finish(guard));
    }
  });
}

function faultOf(binary: string): string | undefined {
  try {
    accessSync(binary, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function signalServer({ pid }: Server, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

function end(guard: Guard): void {
  if (ending) return;
  ending = true;
  const mine = server;
  if (!mine || mine.keeper.exitCode !== null || mine.keeper.signalCode !== null) {
    finish(guard);
  } else if (mine.pid === undefined) {
    mine.keeper.stdio[3]?.destroy(); // The shell ends what it has just started.
  } else {
    signalServer(mine, 'SIGTERM');
    setTimeout(() => mine.keeper.stdio[3]?.destroy(), TERM_GRACE_MS).unref();
  }
}

function finish(guard: Guard): void {
  rmSync(guard.folder, { recursive: true, force: true });
  process.exit(0);
}

function tell(message: FromGuardian, done: () => void = () => {}): void {
  if (process.connected) process.send?.(message, done);
  else done();
}

process.once('message', (message) => {
  const guard = message as Guard;
  process.on('disconnect', () => end(guard));
  process.on('SIGTERM', () => end(guard));
  start(guard, MAX_RESTARTS);
  if (!process.connected) end(guard);
});
