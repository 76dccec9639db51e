export { columnSums, moments, normalise, normGradInput, normGradSums } from './batch-norm';
export { reverseTaps, spreadPhase } from './conv-grad-input';
export { convGradKernel, convGradKernelScratch } from './conv-grad-kernel';
export { addBias, reluGrad, sgd, sum } from './elementwise';
export { globalAvgPool, globalAvgPoolGrad } from './pooling';
