import type { Perform, Step } from './perform.js';
import { type RepeatedTrainingParams, repeatedTraining } from './repeated-training.js';

/**
 * SGD from random weights, again and again: what Table VI of the NE-SGD paper repeats 100 times to show how far the
 * seed alone moves the accuracy. The method is Robbins and Monro's (1951, "A Stochastic Approximation Method"), with
 * momentum and weight decay as alpha has them.
 *
 * Each repetition draws its own order of images and augmentation, and its own weights unless `sameStart` (Table VI's
 * caption: "trained 100 times after initialization of the same parameters"). The result is the most accurate on the
 * fitness split, as NE-SGD's is: without that choice the comparison would give NE-SGD a head start.
 */
export function sgd(p: RepeatedTrainingParams, perform: Perform): AsyncGenerator<Step, void> {
  return repeatedTraining(null, 'sgd', p, perform);
}
