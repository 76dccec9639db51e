import type { Engine } from '../engine.js';
import { batchNormGrad, batchNormInfer, batchNormTrain } from './batch-norm.js';
import { concat, split } from './channels.js';
import { add, addBias, biasGrad, multiply, reluGrad, scale } from './elementwise.js';
import { conv2d, conv2dGradInput, conv2dGradKernel } from './grouped-conv2d.js';
import { linear, linearGrad } from './linear.js';
import { softmaxCrossEntropy } from './loss.js';
import { avgPool, avgPoolGrad, globalAvgPool, globalAvgPoolGrad, maxPool, maxPoolGrad } from './pooling.js';
import { loadWasm } from './runtime.js';
import { WasmSgd } from './sgd.js';
import { storageOf, upload, WasmTensor, WasmVariable } from './tensors.js';

/**
 * The engine on TensorFlow.js's WebAssembly backend, which npm alone brings.
 * WebAssembly's arithmetic is the same on every machine, and there are no threads to divide a sum.
 * @param _threads has no effect: WebAssembly runs an operation on one thread in Node. More workers use more cores.
 * @throws EngineUnavailableError where WebAssembly lacks SIMD.
 */
export async function createWasmEngine(_threads = 1): Promise<Engine> {
  const { rt, version } = await loadWasm();
  const tensorsAtStart = rt.liveTensors;
  return {
    name: 'wasm',
    description: `TensorFlow.js WebAssembly ${version} (SIMD, 1 thread)`,
    tensor: (values, shape) => new WasmTensor(rt, upload(rt, values, shape), shape),
    labels: (values) => new WasmTensor(rt, upload(rt, values, [values.length]), [values.length]),
    variable: (values, shape) => new WasmVariable(rt, upload(rt, values, shape), shape),
    assign: (variable, values) => (variable as WasmVariable).replace(upload(rt, values, variable.shape)),
    read: (source) => {
      const { pointer, size } = storageOf(source);
      return rt.floats(pointer, size).slice();
    },
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
    sgd: (variables, options) => new WasmSgd(rt, variables as readonly WasmVariable[], options),
    memory: () => ({ tensors: rt.liveTensors - tensorsAtStart }),
  };
}
