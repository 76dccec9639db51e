import { NesgdError } from '../../../errors.js';
import type { Engine } from '../engine.js';
import { batchNormGrad, batchNormInfer, batchNormTrain } from './batch-norm.js';
import { conv2d, conv2dGradInput, conv2dGradKernel } from './conv2d.js';
import { add, reluGrad } from './elementwise.js';
import { linear, linearGrad } from './linear.js';
import { softmaxCrossEntropy } from './loss.js';
import { globalAvgPool, globalAvgPoolGrad } from './pooling.js';
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
    multiply: missing('multiply'),
    scale: missing('scale'),
    addBias: missing('addBias'),
    biasGrad: missing('biasGrad'),
    concat: missing('concat'),
    split: missing('split'),
    maxPool: missing('maxPool'),
    maxPoolGrad: missing('maxPoolGrad'),
    avgPool: missing('avgPool'),
    avgPoolGrad: missing('avgPoolGrad'),
    globalAvgPool: (x) => globalAvgPool(rt, x),
    globalAvgPoolGrad: (dy, xShape) => globalAvgPoolGrad(rt, dy, xShape),
    linear: (x, weight, bias) => linear(rt, x, weight, bias),
    linearGrad: (dy, x, weight) => linearGrad(rt, dy, x, weight),
    softmaxCrossEntropy: (logits, labels) => softmaxCrossEntropy(rt, logits, labels),
    sgd: (variables, options) => new WasmSgd(rt, variables as readonly WasmVariable[], options),
    memory: () => ({ tensors: rt.liveTensors - tensorsAtStart }),
  };
}

function missing(operation: string): () => never {
  return () => {
    throw new NesgdError('OPERATION_MISSING', `the wasm engine has no ${operation} yet: use the tensorflow engine`);
  };
}
