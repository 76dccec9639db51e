/** Training on an engine. Its modules without TensorFlow.js have entries of their own: `models` and `checkpoint`. */
export { initialWeights } from './alpha.js';
export * from './engine/index.js';
export { createExecutor, type Executor, type ExecutorOptions } from './execute.js';
export { Network } from './network.js';
export { type LearningRates, Sgd } from './sgd.js';
export { type Trained, type Training, train, trainStep, type Watch } from './train.js';
export type { Weights } from './weights.js';
