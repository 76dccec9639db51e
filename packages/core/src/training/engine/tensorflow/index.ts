import { type Means, ORDINARY_MEANS } from '../../../protocol/index.js';
import type { Engine, Tensor } from '../engine.js';
import { batchNormGrad, batchNormInfer, batchNormTrain } from './batch-norm.js';
import { concat, split } from './channels.js';
import { conv2d, conv2dGradInput, conv2dGradKernel } from './conv2d.js';
import { add, addBias, biasGrad, multiply, reluGrad, scale } from './elementwise.js';
import { linear, linearGrad } from './linear.js';
import { softmaxCrossEntropy } from './loss.js';
import { avgPool, avgPoolGrad, globalAvgPool, globalAvgPoolGrad, maxPool, maxPoolGrad } from './pooling.js';
import { loadTensorFlow } from './runtime.js';
import { FusedSgd, TensorFlowSgd } from './sgd.js';
import { handleOf, TensorFlowTensor, TensorFlowVariable, viewOf } from './tensors.js';

/**
 * The engine on a current TensorFlow (CPU or CUDA), through TensorFlow.js's native binding.
 * @param options.plain do without the operations of packages/core/native, as where they are not there.
 * @throws EngineUnavailableError where the native runtime is missing.
 */
export function createTensorFlowEngine(
  threads: number,
  { plain = false, ...means }: Partial<Means> & { readonly plain?: boolean } = {},
): Engine {
  const { device, precision } = { ...ORDINARY_MEANS, ...means };
  const loaded = loadTensorFlow(threads, { device, precision });
  const rt = plain ? loaded.plain() : loaded;
  const handlesAtStart = rt.liveHandles;
  // The binding may use an array's own memory for the tensor, hence the copies.
  const upload = (values: Float32Array | Int32Array, shape: readonly number[]): Tensor =>
    new TensorFlowTensor(rt, rt.create(values.slice(), shape), shape);
  return {
    name: 'tensorflow',
    description: `TensorFlow ${rt.version} (${[rt.device, `${threads} ${threads === 1 ? 'thread' : 'threads'}`, ...(precision === 'float32' ? [] : [precision]), ...(rt.fused || rt.device === 'GPU' ? [] : ['plain operations'])].join(', ')})`,
    tensor: upload,
    labels: (values) => upload(values, [values.length]),
    variable: (values, shape) => new TensorFlowVariable(rt, values, shape),
    assign: (variable, values) => (variable as TensorFlowVariable).assign(values),
    read: (source) => rt.read('kind' in source ? viewOf(source) : handleOf(source)),
    conv2d: (x, kernel, geometry) => conv2d(rt, x, kernel, geometry),
    conv2dGradInput: (dy, kernel, xShape, geometry) => conv2dGradInput(rt, dy, kernel, xShape, geometry),
    conv2dGradKernel: (dy, x, kernelShape, geometry) => conv2dGradKernel(rt, dy, x, kernelShape, geometry),
    batchNormTrain: (x, norm, options) => batchNormTrain(rt, x, norm, options),
    batchNormGrad: (dy, x, y, norm, saved, options) => batchNormGrad(rt, dy, x, y, norm, saved, options),
    batchNormInfer: (x, norm, options) => batchNormInfer(rt, x, norm, options),
    reluGrad: (dy, y) => reluGrad(rt, dy, y),
    add: (a, b, options) => add(rt, a, b, options),
    multiply: (a, b) => multiply(rt, a, b),
    scale: (x, factor) => scale(rt, x, factor),
    addBias: (x, bias, options) => addBias(rt, x, bias, options),
    biasGrad: (dy) => biasGrad(rt, dy),
    concat: (inputs, options) => concat(rt, inputs, options),
    split: (x, channels) => split(rt, x, channels),
    maxPool: (x, geometry) => maxPool(rt, x, geometry),
    maxPoolGrad: (dy, x, y, geometry) => maxPoolGrad(rt, dy, x, y, geometry),
    avgPool: (x, geometry) => avgPool(rt, x, geometry),
    avgPoolGrad: (dy, xShape, geometry) => avgPoolGrad(rt, dy, xShape, geometry),
    globalAvgPool: (x) => globalAvgPool(rt, x),
    globalAvgPoolGrad: (dy, xShape) => globalAvgPoolGrad(rt, dy, xShape),
    linear: (x, weight, bias) => linear(rt, x, weight, bias),
    linearGrad: (dy, x, weight) => linearGrad(rt, dy, x, weight),
    softmaxCrossEntropy: (logits, labels) => softmaxCrossEntropy(rt, logits, labels),
    sgd: (variables, options) =>
      new (rt.fused ? FusedSgd : TensorFlowSgd)(rt, variables as readonly TensorFlowVariable[], options),
    memory: () => ({ tensors: rt.liveHandles - handlesAtStart }),
  };
}
