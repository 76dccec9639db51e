import { afterEach, describe, expect, it } from 'vitest';
import { expectClose } from '../testing/expect-close.js';
import { type FixtureTensor, readFixture } from '../testing/fixture.js';
import {
  availableEngines,
  type BatchNormOptions,
  type ConvGeometry,
  type PoolGeometry,
  type Tensor,
  type Variable,
} from './index.js';

interface Operations {
  readonly convolutions: readonly (ConvGeometry & { readonly name: string })[];
  readonly pools: readonly (PoolGeometry & { readonly name: string })[];
  readonly batchNorms: readonly (BatchNormOptions & { readonly name: string })[];
  readonly sgd: { readonly momentum: number; readonly weightDecay: number; readonly learningRates: readonly number[] };
}

const { config, tensor: fixture, ints } = readFixture<Operations>('operations');

/** Rounding of float32, relative to the largest value: PyTorch computed in float64. */
const TOLERANCE = 4e-6;

describe.each((await availableEngines()).map((engine) => [engine.name, engine] as const))('%s engine', (_, engine) => {
  const owned: (Tensor | Variable)[] = [];
  const own = <T extends Tensor | Variable>(value: T): T => {
    owned.push(value);
    return value;
  };
  const tensor = (name: string) => {
    const { values, shape } = fixture(name);
    return own(engine.tensor(values, shape));
  };
  const variable = (name: string) => {
    const { values, shape } = fixture(name);
    return own(engine.variable(values, shape));
  };
  const expectFixture = (got: Tensor | Variable, name: string, wanted: FixtureTensor = fixture(name)) => {
    expect(got.shape, name).toEqual(wanted.shape);
    expectClose(name, engine.read(got), wanted.values, TOLERANCE);
  };

  afterEach(() => {
    for (const value of owned.splice(0)) value.dispose();
    expect(engine.memory().tensors, 'tensors left behind').toBe(0);
  });

  it.each(config.convolutions)('$name: forward and both gradients are PyTorch’s', ({ name, ...geometry }) => {
    const [x, kernel, dy] = [tensor(`${name}.x`), variable(`${name}.kernel`), tensor(`${name}.dy`)];
    expectFixture(own(engine.conv2d(x, kernel, geometry)), `${name}.y`);
    expectFixture(own(engine.conv2dGradInput(dy, kernel, x.shape, geometry)), `${name}.dx`);
    expectFixture(own(engine.conv2dGradKernel(dy, x, kernel.shape, geometry)), `${name}.dKernel`);
  });

  it.each(config.batchNorms)('$name: output, gradients and running statistics are PyTorch’s', (options) => {
    const { name } = options;
    const x = tensor(`${name}.x`);
    const norm = {
      scale: variable(`${name}.scale`),
      offset: variable(`${name}.offset`),
      runningMean: variable(`${name}.runningMean`),
      runningVariance: variable(`${name}.runningVariance`),
    };
    expectFixture(own(engine.batchNormInfer(x, norm, options)), `${name}.inferY`);
    expectFixture(norm.runningMean, `${name}.runningMean`);
    const { y, saved } = engine.batchNormTrain(x, norm, options);
    owned.push(y, ...saved);
    expectFixture(y, `${name}.y`);
    expectFixture(norm.runningMean, `${name}.newRunningMean`);
    expectFixture(norm.runningVariance, `${name}.newRunningVariance`);
    const { dx, dScale, dOffset } = engine.batchNormGrad(tensor(`${name}.dy`), x, y, norm, saved, options);
    owned.push(dx, dScale, dOffset);
    expectFixture(dx, `${name}.dx`);
    expectFixture(dScale, `${name}.dScale`);
    expectFixture(dOffset, `${name}.dOffset`);
  });

  it('linear: output and gradients are PyTorch’s', () => {
    const [x, weight, bias] = [tensor('linear.x'), variable('linear.weight'), variable('linear.bias')];
    expectFixture(own(engine.linear(x, weight, bias)), 'linear.y');
    const { dx, dWeight, dBias } = engine.linearGrad(tensor('linear.dy'), x, weight);
    owned.push(dx, dWeight, dBias);
    expectFixture(dx, 'linear.dx');
    expectFixture(dWeight, 'linear.dWeight');
    expectFixture(dBias, 'linear.dBias');
  });

  it.each(['loss', 'lossOfLargeLogits'])('softmaxCrossEntropy (%s): loss and gradient are PyTorch’s', (name) => {
    const labels = own(engine.labels(ints(`${name}.labels`)));
    const { loss, dLogits } = engine.softmaxCrossEntropy(tensor(`${name}.logits`), labels);
    owned.push(loss, dLogits);
    expectFixture(loss, `${name}.loss`);
    expectFixture(dLogits, `${name}.dLogits`);
  });

  it('globalAvgPool: output and gradient are PyTorch’s', () => {
    const x = tensor('pool.x');
    expectFixture(own(engine.globalAvgPool(x)), 'pool.y');
    expectFixture(own(engine.globalAvgPoolGrad(tensor('pool.dy'), x.shape)), 'pool.dx');
  });

  it.each(config.pools)('$name: maxPool and avgPool and their gradients are PyTorch’s', ({ name, ...geometry }) => {
    const x = tensor(`${name}.x`);
    const largest = own(engine.maxPool(x, geometry));
    expectFixture(largest, `${name}.max.y`);
    expectFixture(own(engine.maxPoolGrad(tensor(`${name}.max.dy`), x, largest, geometry)), `${name}.max.dx`);
    expectFixture(own(engine.avgPool(x, geometry)), `${name}.avg.y`);
    expectFixture(own(engine.avgPoolGrad(tensor(`${name}.avg.dy`), x.shape, geometry)), `${name}.avg.dx`);
  });

  it('concat and split: with and without ReLU, output and gradients are PyTorch’s', () => {
    const parts = [0, 1, 2].map((i) => tensor(`concat.part${i}`));
    expectFixture(own(engine.concat(parts)), 'concat.y');
    const y = own(engine.concat(parts, { relu: true }));
    expectFixture(y, 'concat.relu');
    const dConcat = own(engine.reluGrad(tensor('concat.dy'), y));
    const gradients = engine.split(
      dConcat,
      parts.map(({ shape }) => shape[3]!),
    );
    owned.push(...gradients);
    for (const [i, gradient] of gradients.entries()) expectFixture(gradient, `concat.dPart${i}`);
  });

  it('addBias with ReLU: output and gradients are PyTorch’s', () => {
    const x = tensor('bias.x');
    const y = own(engine.addBias(x, variable('bias.bias'), { relu: true }));
    expectFixture(y, 'bias.y');
    const dx = own(engine.reluGrad(tensor('bias.dy'), y));
    expectFixture(dx, 'bias.dx');
    expectFixture(own(engine.biasGrad(dx)), 'bias.dBias');
  });

  it('add and reluGrad: with and without ReLU, output and gradient are PyTorch’s', () => {
    const [a, b] = [tensor('add.a'), tensor('add.b')];
    expectFixture(own(engine.add(a, b)), 'add.sum');
    const y = own(engine.add(a, b, { relu: true }));
    expectFixture(y, 'add.relu');
    expectFixture(own(engine.reluGrad(tensor('add.dy'), y)), 'add.dx');
  });

  it('sgd: weights after each of five steps with momentum and weight decay are PyTorch’s', () => {
    const weight = variable('sgd.weight');
    const group = engine.sgd([weight], config.sgd);
    for (const [i, learningRate] of config.sgd.learningRates.entries()) {
      group.step([tensor(`sgd.gradient${i + 1}`)], learningRate);
      expectFixture(weight, `sgd.weight${i + 1}`);
    }
    group.dispose();
  });
});
