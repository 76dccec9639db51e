import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** Runs a program on a pseudo-terminal (util-linux's or BSD's `script`) and returns all that it drew there. */
async function onTerminal(program: string, env: NodeJS.ProcessEnv = {}): Promise<{ drawn: string; code: number }> {
  const command = [process.execPath, '--input-type=module', '--eval', program];
  const quoted = command.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ');
  const flags = process.platform === 'linux' ? ['-qec', quoted, '/dev/null'] : ['-q', '/dev/null', ...command];
  // Node draws no colours where CI is set, whatever the terminal.
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...surroundings } = process.env;
  const child = promisify(execFile)('script', flags, { env: { ...surroundings, TERM: 'xterm', ...env } });
  child.child.stdin?.end();
  return child.then(
    ({ stdout }) => ({ drawn: stdout, code: 0 }),
    (error: { stdout: string; code: number }) => ({ drawn: error.stdout, code: error.code }),
  );
}

const display = fileURLToPath(new URL('../../apps/coordinator/dist/display/index.js', import.meta.url));

/** Opens a run on the real standard error, has something drawn, and then does `rest`. */
const program = (rest: string) => `
  import { createDisplay } from ${JSON.stringify(display)};
  const display = createDisplay({ stream: process.stderr, mode: 'tty' });
  const job = { id: 'alpha', text: 'alpha' };
  display.watch({ type: 'opened', run: ${JSON.stringify(run())} });
  display.watch({ type: 'phase', phase: { name: 'alpha' }, total: 1, answered: 0 });
  display.watch({ type: 'job-started', job, worker: 'worker-1' });
  setTimeout(() => { ${rest} }, 300);
`;

function run() {
  return {
    runId: 'example-1',
    folder: 'runs/example-1',
    resumed: false,
    experiment: 'example',
    dataset: 'mnist',
    trainImages: 5400,
    validationImages: 600,
    testImages: 10000,
    model: 'resnet8',
    blocks: 5,
    engine: 'wasm',
    threads: 1,
    workers: 1,
    broker: 'local',
    populationSize: 3,
    generations: 1,
  };
}

const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

test('display: on a real terminal the view is drawn in colour and the cursor comes back at close', async () => {
  const { drawn, code } = await onTerminal(program('display.close();'));
  expect(code).toBe(0);
  expect(drawn).toContain('\u001b[1mexample-1');
  expect(drawn).toContain('worker-1');
  expect(drawn.lastIndexOf(SHOW)).toBeGreaterThan(drawn.lastIndexOf(HIDE));
  expect(drawn).toContain(HIDE);
});

test('display: an error that nobody caught ends the process with its code, below the view, cursor restored', async () => {
  const { drawn, code } = await onTerminal(program("throw new Error('nobody catches this');"));
  expect(code).toBe(1);
  expect(drawn).toContain(HIDE);
  expect(drawn.lastIndexOf(SHOW)).toBeGreaterThan(drawn.lastIndexOf(HIDE));
  expect(drawn.indexOf('nobody catches this')).toBeGreaterThan(drawn.lastIndexOf(SHOW));
});

test('display: NO_COLOR leaves cursor movements and no colours', async () => {
  const { drawn } = await onTerminal(program('display.close();'), { NO_COLOR: '1' });
  expect(drawn).toContain('example-1');
  expect(drawn).toContain('\u001b[J');
  // "m" ends the sequences that set colours and weights.
  expect(drawn).not.toMatch(/\p{Cc}\[[\d;]*m/u);
});
