import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ORDINARY_MEANS } from '../../../protocol/index.js';
import { loadTensorFlow } from './runtime.js';

const rt = loadTensorFlow(1, ORDINARY_MEANS);

/** Every operation of packages/core/native but SGD, on a process of its own: a digest of their bits. */
const DIGEST = `
  import { createHash } from 'node:crypto';
  import { rngAt } from '@nesgd/core/evolution';
  import { createEngine } from '@nesgd/core/training';
  const engine = await createEngine('tensorflow', Number(process.argv[1]));
  const draw = (name, shape) =>
    rngAt(1, name).fillNormal(new Float32Array(shape.reduce((a, b) => a * b)), 1);
  const x = engine.tensor(draw('x', [8, 33, 31, 60]), [8, 33, 31, 60]);
  const dy = engine.tensor(draw('dy', [8, 33, 31, 60]), [8, 33, 31, 60]);
  const vector = (name) => engine.variable(draw(name, [60]), [60]);
  const norm = { scale: vector('scale'), offset: vector('offset'), runningMean: vector('mean'), runningVariance: vector('variance') };
  const options = { relu: true, epsilon: 1e-5, momentum: 0.1 };
  const { y, saved } = engine.batchNormTrain(x, norm, options);
  const { dx, dScale, dOffset } = engine.batchNormGrad(dy, x, y, norm, saved, options);
  const [a, b] = engine.split(x, [20, 40]);
  const joined = engine.concat([b, engine.add(a, engine.split(dy, [20, 40])[0], { relu: true }), y], { relu: true });
  const image = engine.tensor(draw('image', [8, 33, 31, 48]), [8, 33, 31, 48]);
  const gradient = engine.tensor(draw('gradient', [8, 33, 31, 32]), [8, 33, 31, 32]);
  const kernel = engine.variable(draw('kernel', [3, 3, 48, 32]), [3, 3, 48, 32]);
  const geometry = { stride: 1, padding: 1 };
  const convolved = [
    engine.conv2d(image, kernel, geometry),
    engine.conv2dGradInput(gradient, kernel, image.shape, geometry),
    engine.conv2dGradKernel(gradient, image, kernel.shape, geometry),
  ];
  const digest = createHash('sha256');
  for (const tensor of [y, dx, dScale, dOffset, joined, norm.runningMean, norm.runningVariance, ...convolved]) digest.update(engine.read(tensor));
  console.log(engine.description, digest.digest('hex'));
`;

const digestWith = (threads: number) =>
  execFileSync(process.execPath, ['--input-type=module', '-e', DIGEST, String(threads)], { encoding: 'utf8' }).trim();

describe('fused operations', () => {
  it('are there on a CPU', () => expect(rt.fused).toBe(rt.device === 'CPU'));

  it('give the same bits on any number of threads', () => {
    const [one, many] = [1, 3].map((threads) => digestWith(threads).split(' ').at(-1));
    expect(many).toBe(one);
  });

  it('refuse slices that are not there instead of reading past the end', () => {
    const x = rt.create(new Float32Array(12), [1, 2, 2, 3]);
    const slices = (offset: number, channels: number) => [
      rt.attr.bool('relu', false),
      rt.attr.int('offsets', [0, offset]),
      rt.attr.int('channels', [channels, channels]),
    ];
    expect(() => rt.run('NesgdAdd', slices(2, 2), [x, x], 1)).toThrow(/NesgdAdd: a and b want the same pixels/);
    expect(() => rt.run('NesgdAdd', slices(-1, 1), [x, x], 1)).toThrow(/NesgdAdd/);
    const pixel = rt.create(new Float32Array(3), [1, 1, 1, 3]);
    expect(() => rt.run('NesgdAdd', slices(0, 3), [x, pixel], 1)).toThrow(/NesgdAdd/);
    const short = rt.create(new Float32Array(2), [2]);
    const norm = [
      rt.attr.float('epsilon', 1e-5),
      rt.attr.float('momentum', 0.1),
      rt.attr.bool('training', true),
      rt.attr.bool('relu', true),
    ];
    expect(() => rt.run('NesgdBatchNorm', norm, [x, short, short, short, short], 5)).toThrow(/NesgdBatchNorm/);
    for (const handle of [x, pixel, short]) rt.delete(handle);
  });
});
