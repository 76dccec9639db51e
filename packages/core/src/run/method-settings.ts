import { z } from 'zod';
import { METHOD_NAMES } from '../methods/index.js';

const positiveInt = z.int().positive();
const share = z.number().positive().max(1);

const sgdSchema = z.strictObject({
  /** R of Table VI. */
  repeats: positiveInt.default(10),
  /** Of one training; alpha's, where it is not said. */
  epochs: positiveInt.optional(),
  /** The caption of Table VI: "trained 100 times after initialization of the same parameters". */
  sameStart: z.boolean().optional(),
});

const restartsSchema = z.strictObject({
  repeats: positiveInt.default(10),
  /** At each restart; `retrain.learningRateReinitialised`, where it is not said. */
  learningRate: z.number().positive().optional(),
});

const esgdSchema = z
  .strictObject({
    /** K */
    generations: positiveInt.default(20),
    /** mu */
    populationSize: z.int().min(2).default(5),
    /** lambda */
    offspring: positiveInt.default(10),
    /** m */
    elite: positiveInt.default(3),
    /** rho */
    parents: z.int().min(1).max(100).default(2),
    /** sigma_0 */
    noise: z.number().min(0).default(0.01),
    /** K_s, as passes over the training images. */
    epochs: positiveInt.default(1),
    /** A species for each: alpha's settings with this momentum. */
    momenta: z.array(z.number().min(0).lt(1)).min(1).default([0.9, 0]),
    /** Learning rates are drawn log-uniformly from this part of alpha's up to all of it. */
    smallestRateFactor: share.default(0.1),
    /** What learning rates are multiplied by from generation to generation. */
    rateDecay: share.optional(),
  })
  .refine((e) => e.elite <= e.populationSize, {
    path: ['elite'],
    error: 'is above populationSize: of a population at most all survive by fitness',
  });

const pbtSchema = z.strictObject({
  steps: positiveInt.default(20),
  populationSize: z.int().min(2).default(5),
  /** Between two looks at the population. */
  epochs: positiveInt.default(1),
  /** Share of the population that is replaced, and of those that replace it. */
  truncation: z.number().positive().max(0.5).default(0.2),
  /** What a hyperparameter is multiplied by: one of these two. */
  perturbDown: share.default(0.8),
  perturbUp: z.number().min(1).default(1.2),
  /** At the start: drawn log-uniformly from these parts of alpha's up to those. */
  smallestFactor: share.default(0.1),
  largestFactor: z.number().min(1).default(1),
});

export const methodSchema = z.strictObject({
  name: z.enum(METHOD_NAMES).default('ne-sgd'),
  /** Settings of the rivals stand side by side, so that one file serves them all. */
  sgd: sgdSchema.prefault({}),
  sgdRestarts: restartsSchema.prefault({}),
  esgd: esgdSchema.prefault({}),
  pbt: pbtSchema.prefault({}),
});
export type MethodSettings = z.infer<typeof methodSchema>;
