import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ORDINARY_MEANS } from '../../../protocol/index.js';
import { errorToMessage } from '../../../trainer/messages.js';
import { loadTensorFlow } from './runtime.js';

/**
 * A 3x3 convolution whose own memory no longer fits into what the process may have (`prlimit`, as `ulimit -v`), on a process
 * of its own; then the same with memory again.
 */
const CONVOLVE = `
  import { execFileSync } from 'node:child_process';
  import { readFileSync } from 'node:fs';
  import { createEngine } from '@nesgd/core/training';
  const engine = await createEngine('tensorflow', Number(process.argv[1]));
  const channels = 512;
  const x = engine.tensor(new Float32Array(64 * 4 * channels).fill(1), [64, 2, 2, channels]);
  const kernel = engine.variable(new Float32Array(9 * channels * channels).fill(1), [3, 3, channels, channels]);
  const run = () => engine.read(engine.conv2d(x, kernel, { stride: 1, padding: 1 }))[0];
  const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + bytes + ':']);
  const heldKb = Number(/VmSize:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  limit(heldKb * 1024 + (4 << 20));
  let said = 'nothing';
  try { run(); } catch (error) { said = error.message; }
  limit('unlimited');
  console.log(JSON.stringify({ said, value: run() }));
`;

describe.runIf(loadTensorFlow(1, ORDINARY_MEANS).winograd)('an operation of ours that gets no memory', () => {
  it.each([1, 2])(
    'fails with an error that is known as a lack of memory, on %d threads, and works when there is some',
    (threads) => {
      const output = execFileSync(process.execPath, ['--input-type=module', '-e', CONVOLVE, String(threads)], {
        encoding: 'utf8',
      });
      const { said, value } = JSON.parse(output) as { said: string; value: number };
      expect(said).toMatch(/out of memory/);
      expect(errorToMessage(new Error(said))).toMatchObject({ code: 'OUT_OF_MEMORY' });
      expect(value).toBe(4 * 512);
    },
  );
});
