import type { Perform, Step } from './perform.js';
import { type RepeatedTrainingParams, repeatedTraining } from './repeated-training.js';

/**
 * SGD with warm restarts from alpha: Loshchilov and Hutter (2017, "SGDR: Stochastic Gradient Descent with Warm
 * Restarts") restart the schedule and keep the weights. Here every restart begins at alpha, as an individual of NE-SGD
 * whose mask is all ones does, but with one learning rate: the difference between the two methods is then the masks.
 * @param alpha name of alpha's weights.
 */
export function sgdRestarts(
  p: RepeatedTrainingParams & { readonly alpha: string },
  perform: Perform,
): AsyncGenerator<Step, void> {
  return repeatedTraining(p.alpha, 'restart', p, perform);
}
