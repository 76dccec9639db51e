import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rngAt } from '../../evolution/rng.js';
import { expectClose } from '../testing/expect-close.js';
import { availableEngines, type Engine, type Shape, type Tensor, type Variable } from './index.js';

const engines = await availableEngines();

/** Rounding of float32 over sums of up to a thousand terms of about 1, which may cancel: relative to the largest or 1. */
const TOLERANCE = 3e-5;

type Values = ReadonlyMap<string, Float32Array>;

/** Standard normal, the same on every engine. */
function draw(seed: number, name: string, shape: Shape): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return rngAt(seed, name).fillNormal(new Float32Array(size), 1);
}

/**
 * Computes on every engine and compares all results with the first engine's.
 * @param compute returns what it computed by name; everything it made is disposed here.
 */
function expectAgreement(compute: (make: Maker, engine: Engine) => Record<string, Tensor | Variable>): Values[] {
  const results = engines.map((engine) => {
    const owned: (Tensor | Variable)[] = [];
    const make: Maker = {
      tensor: (values, shape) => keep(engine.tensor(values, shape)),
      variable: (values, shape) => keep(engine.variable(values, shape)),
    };
    const keep = <T extends Tensor | Variable>(value: T): T => {
      owned.push(value);
      return value;
    };
    const outputs = Object.entries(compute(make, engine));
    const values = new Map(outputs.map(([name, output]) => [name, engine.read(output)]));
    for (const value of new Set([...owned, ...outputs.map(([, output]) => output)])) value.dispose();
    expect(engine.memory().tensors, `${engine.name}: tensors left behind`).toBe(0);
    return values;
  });
  for (const [i, values] of results.entries()) {
    for (const [name, wanted] of results[0]!) {
      expectClose(`${name} of ${engines[i]!.name} and ${engines[0]!.name}`, values.get(name)!, wanted, TOLERANCE, 1);
    }
  }
  return results;
}

interface Maker {
  tensor(values: Float32Array, shape: Shape): Tensor;
  variable(values: Float32Array, shape: Shape): Variable;
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

const seed = fc.integer({ min: 0, max: 2 ** 31 });
const size = (max: number) => fc.integer({ min: 1, max });

describe(`engines ${engines.map(({ name }) => name).join(', ')}`, () => {
  it('the wasm engine, which needs nothing but npm, is among them', () => {
    expect(engines.map(({ name }) => name)).toContain('wasm');
  });

  it('conv2d: they agree on any geometry, and each gradient is the adjoint of the convolution', () => {
    const geometry = fc
      .record({ seed, n: size(5), h: size(12), w: size(12), cIn: size(19), cOut: size(19), kH: size(5), kW: size(5) })
      .chain((sizes) => fc.record({ sizes: fc.constant(sizes), stride: size(3), padding: fc.nat(3) }))
      .filter(({ sizes: { h, w, kH, kW }, padding }) => h + 2 * padding >= kH && w + 2 * padding >= kW);
    fc.assert(
      fc.property(geometry, ({ sizes: { seed, n, h, w, cIn, cOut, kH, kW }, stride, padding }) => {
        const xShape = [n, h, w, cIn];
        const kernelShape = [kH, kW, cIn, cOut];
        const outSize = (length: number, k: number) => Math.floor((length + 2 * padding - k) / stride) + 1;
        const yShape = [n, outSize(h, kH), outSize(w, kW), cOut];
        const [x, kernel, dy] = [draw(seed, 'x', xShape), draw(seed, 'kernel', kernelShape), draw(seed, 'dy', yShape)];
        const results = expectAgreement((make, engine) => {
          const [X, K, DY] = [make.tensor(x, xShape), make.variable(kernel, kernelShape), make.tensor(dy, yShape)];
          return {
            y: engine.conv2d(X, K, { stride, padding }),
            dx: engine.conv2dGradInput(DY, K, xShape, { stride, padding }),
            dKernel: engine.conv2dGradKernel(DY, X, kernelShape, { stride, padding }),
          };
        });
        for (const values of results) {
          const product = dot(values.get('y')!, dy);
          const tolerance = TOLERANCE * Math.sqrt(dot(dy, dy) * dot(values.get('y')!, values.get('y')!));
          expect(Math.abs(dot(values.get('dx')!, x) - product)).toBeLessThanOrEqual(tolerance);
          expect(Math.abs(dot(values.get('dKernel')!, kernel) - product)).toBeLessThanOrEqual(tolerance);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('batchNorm: they agree on outputs, gradients and running statistics of any shape', () => {
    const sizes = fc.record({ seed, n: size(9), h: size(9), w: size(9), c: size(21) });
    // Of few numbers, a channel's variance may come out so small that rounding is all there is.
    const enough = sizes.filter(({ n, h, w }) => n * h * w >= 8);
    fc.assert(
      fc.property(enough, ({ seed, n, h, w, c }) => {
        const shape = [n, h, w, c];
        const dy = draw(seed, 'dy', shape);
        const trainWith = (relu: boolean) =>
          expectAgreement((make, engine) => {
            const options = { relu, epsilon: 1e-5, momentum: 0.1 };
            const vector = (name: string) => make.variable(draw(seed, name, [c]), [c]);
            const runningMean = vector('mean');
            const runningVariance = make.variable(draw(seed, 'variance', [c]).map(Math.abs), [c]);
            const norm = { scale: vector('scale'), offset: vector('offset'), runningMean, runningVariance };
            const x = make.tensor(draw(seed, 'x', shape), shape);
            const inferred = engine.batchNormInfer(x, norm, options);
            const { y, saved } = engine.batchNormTrain(x, norm, options);
            const gradients = engine.batchNormGrad(make.tensor(dy, shape), x, y, norm, saved, options);
            for (const tensor of saved) tensor.dispose();
            return { inferred, y, ...gradients, runningMean, runningVariance };
          });
        const [withoutRelu] = trainWith(false);
        // At a ReLU's kink, rounding decides what passes: no gradient is sent there.
        for (const [i, y] of withoutRelu!.get('y')!.entries()) if (Math.abs(y) < 1e-4) dy[i] = 0;
        trainWith(true);
      }),
      { numRuns: 40 },
    );
  });

  it('linear, loss, pooling, add, reluGrad and sgd: they agree on any shape', () => {
    const sizes = fc.record({ seed, n: size(40), inputs: size(70), classes: size(13), h: size(5), w: size(5) });
    fc.assert(
      fc.property(sizes, ({ seed, n, inputs, classes, h, w }) => {
        const image = [n, h, w, classes];
        const labels = Int32Array.from(
          draw(seed, 'labels', [n]),
          (value) => Math.floor(Math.abs(value) * 100) % classes,
        );
        expectAgreement((make, engine) => {
          const of = (name: string, shape: Shape) => make.tensor(draw(seed, name, shape), shape);
          const weight = make.variable(draw(seed, 'weight', [classes, inputs]), [classes, inputs]);
          const bias = make.variable(draw(seed, 'bias', [classes]), [classes]);
          const x = of('x', [n, inputs]);
          const logits = engine.linear(x, weight, bias);
          const target = engine.labels(labels);
          const { loss, dLogits } = engine.softmaxCrossEntropy(logits, target);
          target.dispose();
          const { dx, dWeight, dBias } = engine.linearGrad(dLogits, x, weight);
          const pooled = engine.globalAvgPool(of('image', image));
          const dImage = engine.globalAvgPoolGrad(of('dPooled', [n, classes]), image);
          const sum = engine.add(of('a', image), of('b', image));
          const rectified = engine.add(of('a', image), of('b', image), { relu: true });
          const dRectified = engine.reluGrad(of('dy', image), rectified);
          const sgd = engine.sgd([weight, bias], { momentum: 0.9, weightDecay: 5e-4 });
          for (const rate of [0.1, 0.05]) sgd.step([dWeight, dBias], rate);
          sgd.dispose();
          const outputs = { logits, loss, dLogits, dx, dWeight, dBias, pooled, dImage, sum, rectified, dRectified };
          return { ...outputs, weight, bias };
        });
      }),
      { numRuns: 60 },
    );
  });
});
