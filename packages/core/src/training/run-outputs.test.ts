import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { availableEngines } from './engine/index.js';
import { modelSpec } from './models/index.js';
import { Network } from './network.js';
import { expectClose } from './testing/expect-close.js';

/** What `test/oracle/run_outputs_fixture.py` saw when it ran the snippet of the documentation. */
interface Seen {
  readonly snippet: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly logits: readonly (readonly number[])[];
}

const engines = await availableEngines();
const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const seen = JSON.parse(read('./fixtures/run-outputs.json')) as Seen;
const [, snippet = ''] = /```python\n(.*?)```/s.exec(read('../../../../docs/run-outputs.md')) ?? [];
const spec = modelSpec('resnet8', [28, 28, 1], 10);
const [mean, std] = [0.1307, 0.3081];

/** As the script makes them. */
function values(name: string, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const wave = Math.sin(0.37 * (i + 1) + name.length);
    return name.endsWith('running_var') ? 1.5 + 0.5 * wave : 0.1 * wave;
  });
}

describe('the PyTorch snippet of docs/run-outputs.md', () => {
  it('is the one that was run: after a change, test/oracle/run_outputs_fixture.py runs it again', () => {
    expect(createHash('sha256').update(snippet).digest('hex')).toBe(seen.snippet);
  });

  it('has the names and shapes of our checkpoints', () => {
    expect(Object.fromEntries(spec.parameters.map(({ name, shape }) => [name, shape]))).toEqual(seen.shapes);
  });

  it.each(engines.map((engine) => [engine.name, engine] as const))(
    'computes what our network does (%s)',
    (_, engine) => {
      const network = new Network(engine, spec);
      network.load(
        new Map(
          spec.parameters.map(({ name, shape }) => [
            name,
            values(
              name,
              shape.reduce((a, b) => a * b, 1),
            ),
          ]),
        ),
      );
      const pixels = Float32Array.from({ length: 2 * 28 * 28 }, (_, i) => (((i * 31) % 256) / 255 - mean) / std);
      const x = engine.tensor(pixels, [2, 28, 28, 1]);
      const output = network.logits(x);
      expectClose('logits', engine.read(output), Float32Array.from(seen.logits.flat()), 1e-5);
      for (const tensor of [x, output]) tensor.dispose();
    },
  );
});
