import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/**
 * What a broker must do for us, in 30 lines: read its configuration from standard input, ask for the password, answer
 * PING. So these tests hold on machines without Redis; where there is one, they run on it as well.
 */
const STAND_IN = `#!${process.execPath}
const { createServer } = require('node:net');
const { writeFileSync } = require('node:fs');
let config = '';
process.stdin.on('data', (chunk) => { config += chunk; }).on('end', () => {
  const value = (key) => new RegExp('^' + key + ' (.*)$', 'm').exec(config)[1];
  writeFileSync('appendonly.aof', '');
  createServer((socket) => {
    let known = false;
    socket.on('error', () => {}).on('data', (chunk) => {
      for (const line of String(chunk).split('\\r\\n').filter(Boolean)) {
        if (line === 'AUTH ' + value('requirepass')) { known = true; socket.write('+OK\\r\\n'); }
        else socket.write(known && line === 'PING' ? '+PONG\\r\\n' : '-NOAUTH Authentication required.\\r\\n');
      }
    });
  }).listen({ host: value('bind'), port: Number(value('port')) });
});
`;

let folder: string;
const running: RunningBroker[] = [];
const parents: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(async () => {
  for (const parent of parents.splice(0)) parent.kill('SIGKILL');
  await Promise.all(running.splice(0).map((broker) => broker.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const real = findBrokerBinary(defaultCacheRoot(process.env), process.env);
const servers = ['stand-in', ...(real ? [real] : [])];

describe.each(servers)('broker %s', (server) => {
  const binary = () => {
    if (server !== 'stand-in') return server;
    const path = join(folder, 'stand-in-server');
    writeFileSync(path, STAND_IN, { mode: 0o755 });
    return path;
  };
  const start = async () => {
    const broker = await startBroker(binary(), { folder: join(folder, 'data') });
    running.push(broker);
    return broker;
  };

  it('answers on loopback behind its password, and nobody without it', async () => {
    const { hostname, port, password } = new URL((await start()).url);
    expect(hostname).toBe('127.0.0.1');
    expect(await ask(port, `AUTH ${password}\r\nPING\r\n`, 2)).toEqual(['+OK', '+PONG']);
    expect(await ask(port, 'PING\r\n', 1)).toEqual([expect.stringMatching(/^-NOAUTH/)]);
  });

  it('stop ends the server and deletes its data, also when asked twice', async () => {
    const broker = await start();
    expect(readdirSync(join(folder, 'data'))).toHaveLength(1);
    await Promise.all([broker.stop(), broker.stop()]);
    expect(isAlive(broker.pid)).toBe(false);
    expect(readdirSync(join(folder, 'data'))).toEqual([]);
  });

  it('ends, with its data, when the process that started it is killed with SIGKILL', async () => {
    const { parent, pid } = await startInAnotherProcess(binary());
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid) && readdirSync(join(folder, 'data')).length === 0);
  });

  it('survives Ctrl-C: a SIGINT to the process group of its parent does not reach it', async () => {
    const { parent, pid, url } = await startInAnotherProcess(binary());
    process.kill(-Number(parent.pid), 'SIGINT'); // The parent ignores it.
    // A signal that has been sent is delivered before its receiver computes again: who answers did not get one.
    const { port, password } = new URL(url);
    expect(await ask(port, `AUTH ${password}\r\nPING\r\n`, 2)).toEqual(['+OK', '+PONG']);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  it('is started again on the same port when it dies', async () => {
    const broker = await start();
    const { port, password } = new URL(broker.url);
    const first = broker.pid;
    process.kill(first, 'SIGKILL');
    await until(() => broker.pid !== first);
    await until(async () => {
      const answer = await ask(port, `AUTH ${password}\r\nPING\r\n`, 2).catch((): string[] => []);
      return answer.includes('+PONG');
    });
  });

  it('is started again, with its data, when its guardian is killed with SIGKILL', async () => {
    const broker = await start();
    const { port, password } = new URL(broker.url);
    const first = { server: broker.pid, guardian: broker.guardianPid };
    process.kill(first.guardian, 'SIGKILL');
    await until(() => !isAlive(first.server));
    await until(() => broker.pid !== first.server && isAlive(broker.pid));
    await until(async () => {
      const answer = await ask(port, `AUTH ${password}\r\nPING\r\n`, 2).catch((): string[] => []);
      return answer.includes('+PONG');
    });
    expect(readdirSync(join(folder, 'data'))).toHaveLength(1);
    await broker.stop();
    expect(isAlive(broker.pid)).toBe(false);
  });

  it('ends when its guardian and the process that started it are killed with SIGKILL at once', async () => {
    const { parent, pid, guardianPid } = await startInAnotherProcess(binary());
    parent.kill('SIGSTOP'); // So that it starts no other guardian in between.
    process.kill(guardianPid, 'SIGKILL');
    parent.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  it('is started again when the shell that is its parent is killed with SIGKILL', async () => {
    const broker = await start();
    const first = broker.pid;
    const stat = readFileSync(`/proc/${first}/stat`, 'utf8');
    process.kill(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), 'SIGKILL');
    await until(() => !isAlive(first) && broker.pid !== first && isAlive(broker.pid));
  });

  /** A parent in a process group of its own, as a shell starts it. */
  async function startInAnotherProcess(
    path: string,
  ): Promise<{ parent: ChildProcess; pid: number; guardianPid: number; url: string }> {
    const code = `
      const { startBroker } = await import('@nesgd/core/runtime');
      process.on('SIGINT', () => {});
      const { pid, guardianPid, url } = await startBroker(...${JSON.stringify([path, { folder: join(folder, 'data') }])});
      console.log(JSON.stringify({ pid, guardianPid, url }));
      setInterval(() => {}, 1e6);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    parents.push(parent);
    return { parent, ...(JSON.parse(await line(parent)) as { pid: number; guardianPid: number; url: string }) };
  }
});

describe('startBroker', () => {
  it('a server that cannot start is reported in its own words, and leaves nothing behind', async () => {
    const path = join(folder, 'broken-server');
    writeFileSync(path, '#!/bin/sh\necho "FATAL CONFIG FILE ERROR" >&2\nexit 1\n', { mode: 0o755 });
    await expect(startBroker(path, { folder: join(folder, 'data') })).rejects.toMatchObject({
      code: 'BROKER_START',
      message: expect.stringContaining('FATAL CONFIG FILE ERROR'),
    });
    expect(readdirSync(join(folder, 'data'))).toEqual([]);
  });

  it('a program that is not there is reported', async () => {
    await expect(startBroker(join(folder, 'absent'), { folder })).rejects.toThrow(/absent.*ENOENT/);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Vitest's own timeout ends a wait for what never comes. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(10);
}

function line(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
    child.once('exit', (code) => reject(new Error(`ended with code ${code}`)));
  });
}

/** Sends inline commands and returns the first `count` lines of the answer. */
function ask(port: string, commands: string, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket: Socket = createConnection({ host: '127.0.0.1', port: Number(port) }, () => socket.write(commands));
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      text += String(chunk);
      const lines = text.split('\r\n').filter(Boolean);
      if (lines.length < count) return;
      socket.destroy();
      resolve(lines);
    });
  });
}
