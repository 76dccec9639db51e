/**
 * The process between a coordinator and its broker: it starts the server, and ends it when the coordinator asks or is
 * gone (the IPC channel closes, also by `kill -9`). A server that dies by itself is started again on the same port
 * with the jobs it had written down.
 *
 * It leads a process group of its own, with the server in it: neither Ctrl-C in the terminal nor a signal to the
 * coordinator's group ends the broker before the coordinator has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
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
const TERM_GRACE_MS = 3_000;

let server: ChildProcess | undefined;
let ending = false;

function start(guard: Guard, restartsLeft: number): void {
  const logPath = join(guard.folder, 'server.log');
  const log = openSync(logPath, 'a');
  const child = spawn(guard.binary, ['-'], { cwd: guard.folder, stdio: ['pipe', log, log] });
  closeSync(log);
  server = child;
  child.stdin?.on('error', () => {}); // A server that ended at once; `close` tells.
  child.stdin?.end(guard.config);
  let spawnError = '';
  child.on('error', (error) => {
    spawnError = error.message;
  });
  child.on('spawn', () => tell({ type: 'started', pid: child.pid ?? -1 }));
  child.on('close', () => {
    if (ending) {
      finish(guard);
    } else if (spawnError === '' && restartsLeft > 0) {
      start(guard, restartsLeft - 1);
    } else {
      const lastWords = spawnError || readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-3).join(' | ');
      tell({ type: 'ended', log: lastWords }, () => finish(guard));
    }
  });
}

function end(guard: Guard): void {
  if (ending) return;
  ending = true;
  const child = server;
  if (!child || child.exitCode !== null || child.signalCode !== null) {
    finish(guard);
  } else {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), TERM_GRACE_MS).unref();
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
