import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCommand, shellWord } from './run-command.js';

describe('runCommand', () => {
  it('names the folder of runs only where it is not ./runs', () => {
    expect(runCommand('resume', { id: 'a', path: 'runs/a' })).toBe('nesgd resume a');
    expect(runCommand('status', { id: 'a', path: resolve('runs/a') })).toBe('nesgd status a');
    expect(runCommand('resume', { id: 'a', path: '/my runs/a' })).toBe("nesgd resume a --runs '/my runs'");
  });
});

it.each(['plain/path-1.5', 'a b', "it's", '$HOME `id` "x" \\', '*'])(
  'shellWord: a shell reads %j as one word',
  (text) => {
    const read = execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' });
    expect(read).toBe(text);
  },
);
