import { expect, it } from 'vitest';
import { rngAt } from '../../../evolution/rng.js';
import { ORDINARY_MEANS } from '../../../protocol/index.js';
import type { Engine, Shape } from '../engine.js';
import { createTensorFlowEngine } from './index.js';
import { loadTensorFlow } from './runtime.js';

const geometry = { stride: 1, padding: 1 };

const draw = (name: string, shape: Shape) =>
  rngAt(1, name).fillNormal(new Float32Array(shape.reduce((a, b) => a * b, 1)), 1);

function convolve(engine: Engine, [n, h, w, c]: readonly [number, number, number, number], outputs: number) {
  const shapes = { x: [n, h, w, c], kernel: [3, 3, c, outputs], dy: [n, h, w, outputs] };
  const x = engine.tensor(draw('x', shapes.x), shapes.x);
  const dy = engine.tensor(draw('dy', shapes.dy), shapes.dy);
  const kernel = engine.variable(draw('kernel', shapes.kernel), shapes.kernel);
  const y = engine.conv2d(x, kernel, geometry);
  const dx = engine.conv2dGradInput(dy, kernel, shapes.x, geometry);
  const dKernel = engine.conv2dGradKernel(dy, x, shapes.kernel, geometry);
  const results = { y: engine.read(y), dx: engine.read(dx), dKernel: engine.read(dKernel) };
  for (const tensor of [x, dy, kernel, y, dx, dKernel]) tensor.dispose();
  return results;
}

/** The largest difference, as a part of the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let apart = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    apart = Math.max(apart, Math.abs(a[i]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return apart / largest;
}

/** What must hold whichever of the processor's instructions are used. */
export function itConvolvesAsOneDnn(): void {
  const rt = loadTensorFlow(1, ORDINARY_MEANS);
  const ours = createTensorFlowEngine(1);
  /** The same convolutions by oneDNN. */
  const plain = createTensorFlowEngine(1, { plain: true });

  it.each([
    [[1, 1, 1, 16], 16],
    [[2, 7, 5, 16], 32],
    [[3, 8, 8, 48], 16],
    [[2, 5, 9, 32], 96],
    [[5, 16, 16, 64], 64],
    [[4, 32, 32, 16], 16],
    [[1, 4, 4, 256], 192],
    [[9, 3, 3, 512], 64],
  ] as const)('x %j to %i channels: oneDNN’s values and gradients, to rounding', (shape, outputs) => {
    const [a, b] = [ours, plain].map((engine) => convolve(engine, shape, outputs));
    expect(difference(a!.y, b!.y)).toBeLessThan(5e-6);
    expect(difference(a!.dx, b!.dx)).toBeLessThan(5e-6);
    expect(difference(a!.dKernel, b!.dKernel)).toBeLessThan(5e-6);
  });

  it('give the kernel no gradient without images', () => {
    const { y, dKernel } = convolve(ours, [0, 4, 4, 16], 16);
    expect(y).toHaveLength(0);
    expect(dKernel).toEqual(new Float32Array(9 * 16 * 16));
  });

  it.runIf(rt.winograd)('refuse shapes that do not fit together instead of reading past the end', () => {
    const handles = [[2, 4, 4, 16], [3, 3, 32, 16], [2, 4, 2, 16], [2, 4, 4, 12], [16]].map((shape) =>
      rt.create(draw('bad', shape), shape),
    );
    const [x, kernel, narrow, twelve, vector] = handles as [number, number, number, number, number];
    const turned = (value: boolean) => [rt.attr.bool('turned', value)];
    for (const inputs of [
      [x, kernel],
      [twelve, kernel],
      [x, vector],
      [vector, kernel],
    ]) {
      expect(() => rt.run1('NesgdConv3x3', turned(false), inputs)).toThrow(/NesgdConv3x3: x wants/);
    }
    expect(() => rt.run1('NesgdConv3x3', turned(true), [twelve, kernel])).toThrow(/NesgdConv3x3: x wants/);
    for (const inputs of [
      [x, narrow],
      [x, twelve],
      [x, vector],
    ]) {
      expect(() => rt.run1('NesgdConv3x3GradKernel', [], inputs)).toThrow(/NesgdConv3x3GradKernel: x wants/);
    }
    for (const handle of handles) rt.delete(handle);
  });
}
