/** The rivals of NE-SGD, one file each: pure, each from its own paper. docs/methods.md compares them. */
export { epochsWithin } from './epochs-within.js';
export { type EsgdParams, esgd } from './esgd.js';
export { type PbtParams, pbt } from './pbt.js';
export type { Hyperparameters, Member, Outcome, Perform, Request, Step, TrainRequest } from './perform.js';
export { randomMasks } from './random-masks.js';
export type { RepeatedTrainingParams } from './repeated-training.js';
export { sgd } from './sgd.js';
export { sgdRestarts } from './sgd-restarts.js';
