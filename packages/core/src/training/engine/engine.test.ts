import { describe, expect, it } from 'vitest';
import { rngAt } from '../../evolution/rng.js';
import { sizeOf } from '../models/index.js';
import { availableEngines, type BatchNorm, type Engine, type Shape, type Tensor, type Variable } from './index.js';
import * as reference from './reference.js';

const engines = await availableEngines();

/** Values that float32 holds exactly, so that the double precision reference starts from the same numbers. */
function draw(seed: number, size: number): number[] {
  return Array.from(rngAt(seed, 'engine test').fillNormal(new Float32Array(size), 1));
}

describe.each(engines.map((engine) => [engine.name, engine] as const))('engine %s', (_name, engine) => {
  const tensor = (values: readonly number[], shape: Shape) => engine.tensor(Float32Array.from(values), shape);
  const variable = (values: readonly number[]) => engine.variable(Float32Array.from(values), [values.length]);

  describe('conv2d', () => {
    const cases = [
      { size: [6, 6], kernel: 3, stride: 1, padding: 1 },
      { size: [6, 6], kernel: 3, stride: 2, padding: 1 },
      { size: [7, 5], kernel: 3, stride: 2, padding: 1 },
      { size: [6, 6], kernel: 1, stride: 2, padding: 0 },
      { size: [7, 5], kernel: 1, stride: 2, padding: 0 },
      { size: [5, 4], kernel: 1, stride: 1, padding: 0 },
      { size: [6, 7], kernel: 3, stride: 1, padding: 0 },
      { size: [8, 8], kernel: 5, stride: 1, padding: 2 },
      { size: [9, 9], kernel: 5, stride: 3, padding: 1 },
    ] as const;
    it.each(cases)(
      'size $size, kernel $kernel, stride $stride, padding $padding is the sum it should be, and so are its gradients',
      (c) => {
        const x = { values: draw(1, 2 * c.size[0] * c.size[1] * 3), shape: [2, ...c.size, 3] as const };
        const kernel = { values: draw(2, c.kernel ** 2 * 3 * 4), shape: [c.kernel, c.kernel, 3, 4] as const };
        const wanted = reference.conv2d(x, kernel, c.stride, c.padding);
        const dy = draw(3, wanted.values.length);

        const before = engine.memory().tensors;
        const X = tensor(x.values, x.shape);
        const K = engine.variable(Float32Array.from(kernel.values), kernel.shape);
        const DY = tensor(dy, wanted.shape);
        const y = engine.conv2d(X, K, c);
        expect(y.shape).toEqual(wanted.shape);
        expectClose(engine.read(y), wanted.values);

        // A convolution is linear in each argument, so <conv(x, k), dy> is <x, dx> and <k, dk> for every dy; and dx and
        // dk are right if that holds for each x and k of a basis.
        const dx = engine.conv2dGradInput(DY, K, x.shape, c);
        const dk = engine.conv2dGradKernel(DY, X, kernel.shape, c);
        expect(dx.shape).toEqual(x.shape);
        expect(dk.shape).toEqual(kernel.shape);
        const unit = (size: number, i: number) => new Array<number>(size).fill(0).with(i, 1);
        expectClose(
          engine.read(dx),
          x.values.map((_, i) => {
            const e = { ...x, values: unit(x.values.length, i) };
            return reference.dot(reference.conv2d(e, kernel, c.stride, c.padding).values, dy);
          }),
        );
        expectClose(
          engine.read(dk),
          kernel.values.map((_, i) => {
            const e = { ...kernel, values: unit(kernel.values.length, i) };
            return reference.dot(reference.conv2d(x, e, c.stride, c.padding).values, dy);
          }),
        );
        for (const t of [X, K, DY, y, dx, dk]) t.dispose();
        expect(engine.memory().tensors).toBe(before);
      },
    );
  });

  describe('batch norm', () => {
    const shape = [3, 4, 4, 5] as const;
    const channels = 5;
    const x = draw(1, sizeOf(shape)).map((v, i) => 2 * v + (i % channels));
    const scale = draw(2, channels);
    const offset = draw(3, channels);
    const epsilon = 1e-5;
    const norm = (mean: readonly number[], variance: readonly number[]): BatchNorm => ({
      scale: variable(scale),
      offset: variable(offset),
      runningMean: variable(mean),
      runningVariance: variable(variance),
    });
    const dispose = (n: BatchNorm) => {
      for (const v of Object.values(n) as Variable[]) v.dispose();
    };

    it.each([false, true])(
      'in training it normalises with the batch, and its gradients are numeric ones (relu: %s)',
      (withRelu) => {
        const options = { relu: withRelu, epsilon, momentum: 0.1 };
        const f = (xs: readonly number[], s: readonly number[], o: readonly number[]) => {
          const y = reference.normalise(xs, reference.moments(xs, channels), s, o, epsilon);
          return withRelu ? reference.relu(y) : y;
        };
        const before = engine.memory().tensors;
        const n = norm([0, 0, 0, 0, 0], [1, 1, 1, 1, 1]);
        const X = tensor(x, shape);
        const { y, saved } = engine.batchNormTrain(X, n, options);
        expectClose(engine.read(y), f(x, scale, offset));

        const dy = draw(4, x.length);
        const DY = tensor(dy, shape);
        const { dx, dScale, dOffset } = engine.batchNormGrad(DY, X, y, n, saved, options);
        expectClose(
          engine.read(dx),
          reference.numericGradient((v) => reference.dot(f(v, scale, offset), dy), x),
          1e-3,
        );
        expectClose(
          engine.read(dScale),
          reference.numericGradient((v) => reference.dot(f(x, v, offset), dy), scale),
          1e-3,
        );
        expectClose(
          engine.read(dOffset),
          reference.numericGradient((v) => reference.dot(f(x, scale, v), dy), offset),
          1e-3,
        );
        for (const t of [X, y, ...saved, DY, dx, dScale, dOffset]) t.dispose();
        dispose(n);
        expect(engine.memory().tensors).toBe(before);
      },
    );

    it('moves the running statistics by a tenth towards the batch, whose variance is the unbiased one', () => {
      const n = norm([1, 2, 3, 4, 5], [5, 4, 3, 2, 1]);
      const X = tensor(x, shape);
      const { y, saved } = engine.batchNormTrain(X, n, { relu: false, epsilon, momentum: 0.1 });
      const { mean, variance } = reference.moments(x, channels);
      const count = x.length / channels;
      expectClose(
        engine.read(n.runningMean),
        mean.map((m, i) => 0.9 * (i + 1) + 0.1 * m),
      );
      expectClose(
        engine.read(n.runningVariance),
        variance.map((v, i) => 0.9 * (5 - i) + (0.1 * v * count) / (count - 1)),
      );
      for (const t of [X, y, ...saved]) t.dispose();
      dispose(n);
    });

    it.each([false, true])(
      'in inference it normalises with the running statistics and leaves them (relu: %s)',
      (withRelu) => {
        const running = { mean: [1, 2, 3, 4, 5], variance: [5, 4, 3, 2, 1] };
        const n = norm(running.mean, running.variance);
        const X = tensor(x, shape);
        const y = engine.batchNormInfer(X, n, { relu: withRelu, epsilon, momentum: 0.1 });
        const wanted = reference.normalise(x, running, scale, offset, epsilon);
        expectClose(engine.read(y), withRelu ? reference.relu(wanted) : wanted);
        expect(Array.from(engine.read(n.runningMean))).toEqual(running.mean);
        expect(Array.from(engine.read(n.runningVariance))).toEqual(running.variance);
        for (const t of [X, y]) t.dispose();
        dispose(n);
      },
    );
  });

  it('add: sums, with and without a ReLU; reluGrad passes what the ReLU let through', () => {
    const [a, b, dy] = [draw(1, 24), draw(2, 24), draw(3, 24)];
    const [A, B, DY] = [a, b, dy].map((v) => tensor(v, [2, 3, 2, 2])) as [Tensor, Tensor, Tensor];
    const sum = a.map((v, i) => v + b[i]!);
    const plain = engine.add(A, B);
    const rectified = engine.add(A, B, { relu: true });
    const d = engine.reluGrad(DY, rectified);
    expectClose(engine.read(plain), sum);
    expectClose(engine.read(rectified), reference.relu(sum));
    expectClose(
      engine.read(d),
      dy.map((v, i) => (sum[i]! > 0 ? v : 0)),
    );
    for (const t of [A, B, DY, plain, rectified, d]) t.dispose();
  });

  it('multiply and scale: products, element by element', () => {
    const [a, b] = [draw(1, 12), draw(2, 12)];
    const [A, B] = [a, b].map((v) => tensor(v, [2, 3, 2, 1])) as [Tensor, Tensor];
    const product = engine.multiply(A, B);
    const third = engine.scale(A, 1 / 3);
    expectClose(
      engine.read(product),
      a.map((v, i) => v * b[i]!),
    );
    expectClose(
      engine.read(third),
      a.map((v) => v / 3),
    );
    for (const t of [A, B, product, third]) t.dispose();
  });

  it('globalAvgPool: the mean over height and width; its gradient spreads evenly', () => {
    const shape = [2, 3, 4, 5] as const;
    const x = draw(1, sizeOf(shape));
    const dy = draw(2, 10);
    const X = tensor(x, shape);
    const DY = tensor(dy, [2, 5]);
    const y = engine.globalAvgPool(X);
    const dx = engine.globalAvgPoolGrad(DY, shape);
    const wanted = dy.map((_, i) => reference.moments(x.slice(Math.floor(i / 5) * 60).slice(0, 60), 5).mean[i % 5]!);
    expect(y.shape).toEqual([2, 5]);
    expect(dx.shape).toEqual(shape);
    expectClose(engine.read(y), wanted);
    expectClose(
      engine.read(dx),
      x.map((_, i) => dy[Math.floor(i / 60) * 5 + (i % 5)]! / 12),
    );
    for (const t of [X, DY, y, dx]) t.dispose();
  });

  it('linear: x weight^T + bias, and its gradients are numeric ones', () => {
    const [n, inputs, outputs] = [3, 4, 2];
    const x = draw(1, n * inputs);
    const weight = draw(2, outputs * inputs);
    const bias = draw(3, outputs);
    const dy = draw(4, n * outputs);
    const f = (xs: readonly number[], ws: readonly number[], bs: readonly number[]) =>
      dy.map((_, i) => {
        const [row, out] = [Math.floor(i / outputs), i % outputs];
        const rowOf = (v: readonly number[], r: number) => v.slice(r * inputs, (r + 1) * inputs);
        return reference.dot(rowOf(xs, row), rowOf(ws, out)) + bs[out]!;
      });
    const X = tensor(x, [n, inputs]);
    const W = engine.variable(Float32Array.from(weight), [outputs, inputs]);
    const B = variable(bias);
    const DY = tensor(dy, [n, outputs]);
    const y = engine.linear(X, W, B);
    expect(y.shape).toEqual([n, outputs]);
    expectClose(engine.read(y), f(x, weight, bias));
    const { dx, dWeight, dBias } = engine.linearGrad(DY, X, W);
    expectClose(
      engine.read(dx),
      reference.numericGradient((v) => reference.dot(f(v, weight, bias), dy), x),
    );
    expectClose(
      engine.read(dWeight),
      reference.numericGradient((v) => reference.dot(f(x, v, bias), dy), weight),
    );
    expectClose(
      engine.read(dBias),
      reference.numericGradient((v) => reference.dot(f(x, weight, v), dy), bias),
    );
    for (const t of [X, W, B, DY, y, dx, dWeight, dBias]) t.dispose();
  });

  it('softmaxCrossEntropy: a loss an image, and the gradient of their mean, also for large logits', () => {
    const classes = 4;
    const labels = [0, 3, 1];
    const logits = draw(1, 12).map((v, i) => v * (i < 4 ? 30 : 1));
    const L = tensor(logits, [3, classes]);
    const Y = engine.labels(Int32Array.from(labels));
    const { loss, dLogits } = engine.softmaxCrossEntropy(L, Y);
    const mean = (v: readonly number[]) => reference.crossEntropy(v, labels, classes).reduce((a, b) => a + b) / 3;
    expectClose(engine.read(loss), reference.crossEntropy(logits, labels, classes));
    expectClose(engine.read(dLogits), reference.numericGradient(mean, logits));
    for (const t of [L, Y, loss, dLogits]) t.dispose();
  });

  it.each([
    { momentum: 0.9, weightDecay: 0.01 },
    { momentum: 0.9, weightDecay: 0 },
    { momentum: 0, weightDecay: 0.01 },
  ])('sgd: three steps follow v = mu v + (g + wd w); w = w - lr v, for short and long variables (%o)', (options) => {
    const before = engine.memory().tensors;
    const shapes = [[2, 3], [30, 50], [7]];
    const weights = shapes.map((shape, k) => draw(k, sizeOf(shape)));
    const velocities = weights.map((w) => w.map(() => 0));
    const variables = weights.map((w, k) => engine.variable(Float32Array.from(w), shapes[k]!));
    const group = engine.sgd(variables, options);
    for (const [step, rate] of [0.1, 0.1, 0.01].entries()) {
      const gradients = shapes.map((shape, k) => draw(10 * step + k, sizeOf(shape)));
      for (const [k, g] of gradients.entries()) {
        const w = weights[k]!;
        velocities[k] = velocities[k]!.map((v, i) => options.momentum * v + g[i]! + options.weightDecay * w[i]!);
        weights[k] = w.map((value, i) => value - rate * velocities[k]![i]!);
      }
      const tensors = gradients.map((g, k) => tensor(g, shapes[k]!));
      group.step(tensors, rate);
      for (const t of tensors) t.dispose();
      for (const [k, variable] of variables.entries()) expectClose(engine.read(variable), weights[k]!);
    }
    group.dispose();
    for (const variable of variables) variable.dispose();
    expect(engine.memory().tensors).toBe(before);
  });

  it('sgd: velocities read from one group and loaded into another make it take the same steps, and leak nothing', () => {
    const before = engine.memory().tensors;
    const shapes = [[3], [2000]];
    const options = { momentum: 0.9, weightDecay: 0.01 };
    const [first, second] = [0, 1].map(() =>
      shapes.map((shape, k) => engine.variable(Float32Array.from(draw(k, sizeOf(shape))), shape)),
    );
    const gradients = shapes.map((shape, k) => tensor(draw(5 + k, sizeOf(shape)), shape));
    const one = engine.sgd(first!, options);
    one.step(gradients, 0.1);
    const other = engine.sgd(second!, options);
    other.load(one.velocities());
    for (const [k, variable] of second!.entries()) engine.assign(variable, engine.read(first![k]!));
    const velocities = one.velocities();
    for (const group of [one, other]) group.step(gradients, 0.1);
    for (const k of shapes.keys()) expect(engine.read(second![k]!)).toEqual(engine.read(first![k]!));
    expect(other.velocities()).toEqual(one.velocities());
    expect(velocities).not.toEqual(one.velocities()); // A copy.
    for (const t of [...first!, ...second!, ...gradients, one, other]) t.dispose();
    expect(engine.memory().tensors).toBe(before);
  });

  it('sgd: goes on from values assigned in between', () => {
    for (const size of [3, 2000]) {
      const v = engine.variable(new Float32Array(size).fill(1), [size]);
      const g = tensor(new Array<number>(size).fill(1), [size]);
      const group = engine.sgd([v], { momentum: 0.5, weightDecay: 0 });
      group.step([g], 0.1);
      engine.assign(v, new Float32Array(size).fill(5));
      group.step([g], 0.1); // The velocity is 1.5 by now.
      expectClose(engine.read(v), new Array<number>(size).fill(4.85));
      for (const t of [v, g, group]) t.dispose();
    }
  });

  it('copies in and out: arrays of the caller may change afterwards', () => {
    const values = Float32Array.of(1, 2, 3, 4);
    const t = engine.tensor(values, [4]);
    const v = engine.variable(values, [4]);
    values.fill(0);
    engine.read(t).fill(9);
    engine.read(v).fill(9);
    expect(Array.from(engine.read(t))).toEqual([1, 2, 3, 4]);
    expect(Array.from(engine.read(v))).toEqual([1, 2, 3, 4]);
    engine.assign(v, Float32Array.of(5, 6, 7, 8));
    expect(Array.from(engine.read(v))).toEqual([5, 6, 7, 8]);
    t.dispose();
    v.dispose();
  });
});

it('at least one engine runs here', () => {
  expect(engines.map((engine: Engine) => engine.name)).not.toEqual([]);
});

/** Within float32's precision of a sum of moderate length, relative to the largest value. */
function expectClose(got: ArrayLike<number>, wanted: readonly number[], tolerance = 2e-5): void {
  expect(got.length).toBe(wanted.length);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  const worst = wanted.reduce((max, v, i) => Math.max(max, Math.abs(got[i]! - v)), 0);
  expect(worst / scale).toBeLessThan(tolerance);
}
