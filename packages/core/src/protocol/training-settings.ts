import { z } from 'zod';

/** The parts of an experiment that a trainer needs; shared by experiment files and job payloads. */

const positiveInt = z.int().positive();
const fraction = z.number().min(0).max(1);
const rate = z.number().positive();

export const MODEL_NAMES = [
  'resnet8',
  'resnet14',
  'resnet20',
  'resnet32',
  'resnet18',
  'resnet34',
  'densenet100',
  'densenet121',
  'dpn92',
  'nin',
  'fractalnet',
] as const;
export const GRANULARITIES = ['block', 'layer', 'stage'] as const;

export const modelSchema = z.strictObject({
  name: z.enum(MODEL_NAMES),
  /** What one bit of the mask covers: a residual block (stem and head are blocks too), a layer, or a stage. */
  granularity: z.enum(GRANULARITIES).default('block'),
});
export type ModelSettings = z.infer<typeof modelSchema>;

/** Of each channel, in units where white is 1: what a network is trained on is (byte / 255 - mean) / std. */
export const normalisationSchema = z.strictObject({ mean: z.array(z.number()), std: z.array(z.number().min(0)) });
export type Normalisation = z.infer<typeof normalisationSchema>;

export const augmentationSchema = z.strictObject({
  /** Pixels of zero padding on each side before a random crop back to size; 0 turns it off. */
  padCrop: z.int().min(0).max(32).default(0),
  horizontalFlip: z.boolean().default(false),
  /** The side in pixels of a square that is blanked out of each image; left out or 0: none. */
  cutout: z.int().min(0).max(1024).optional(),
});
export type Augmentation = z.infer<typeof augmentationSchema>;

const optimisation = {
  /** Passes over the training images. */
  epochs: positiveInt,
  schedule: z.enum(['cosine', 'multistep', 'constant']).default('cosine'),
  /** multistep: fractions of the epochs at which the learning rate is multiplied by `gamma`. */
  milestones: z.array(fraction).max(1_000).default([0.5, 0.75]),
  gamma: z.number().positive().max(1).default(0.1),
  batchSize: positiveInt.default(128),
  momentum: z.number().min(0).lt(1).default(0.9),
  /** L2 penalty added to the gradient, as PyTorch's SGD does, on every trainable parameter. */
  weightDecay: z.number().min(0).default(5e-4),
  /** `last`: the weights after the last epoch. `best`: those of the epoch with the highest validation accuracy. */
  weights: z.enum(['last', 'best']).default('last'),
  /** Of the last so many epochs the weights are averaged, and the average is the result. */
  averageLast: z.int().min(2).optional(),
};

const isAverageOfTheLast = {
  check: ({ averageLast, weights }: { averageLast?: number | undefined; weights: 'last' | 'best' }) =>
    averageLast === undefined || weights === 'last',
  fault: {
    path: ['averageLast'],
    error: 'averages the last epochs, but weights: best takes one epoch: leave one of the two out',
  },
};

export const alphaTrainingSchema = z
  .strictObject({ ...optimisation, learningRate: rate })
  .refine(isAverageOfTheLast.check, isAverageOfTheLast.fault);
export type AlphaTraining = z.infer<typeof alphaTrainingSchema>;

/** The same as an experiment says it: methods that train in pieces have lengths of their own. */
export const alphaSettingsSchema = z
  .strictObject({ ...optimisation, epochs: positiveInt.optional(), learningRate: rate })
  .refine(isAverageOfTheLast.check, isAverageOfTheLast.fault);

const rates = {
  /** eta0: for the blocks that the mask keeps. */
  learningRateRetained: rate,
  /** eta1: for the re-initialised blocks. */
  learningRateReinitialised: rate,
};

interface Rates {
  readonly learningRateRetained?: number | undefined;
  readonly learningRateReinitialised?: number | undefined;
}

const isInOrder = {
  check: ({ learningRateRetained: eta0, learningRateReinitialised: eta1 }: Rates) =>
    eta0 === undefined || eta1 === undefined || eta0 < eta1,
  fault: {
    path: ['learningRateRetained'],
    error: (issue: { readonly input?: unknown }) => {
      const r = issue.input as Rates;
      return `is ${r.learningRateRetained}, but Eq. 5 wants learningRateRetained (eta0) below learningRateReinitialised (eta1 = ${r.learningRateReinitialised})`;
    },
  },
};

export const retrainSchema = z
  .strictObject({ ...optimisation, ...rates })
  .refine(isAverageOfTheLast.check, isAverageOfTheLast.fault)
  .refine(isInOrder.check, isInOrder.fault);
export type Retraining = z.infer<typeof retrainSchema>;

/** The same as an experiment says it: a method without masks has one learning rate. */
export const retrainSettingsSchema = z
  .strictObject({
    ...optimisation,
    learningRateRetained: rates.learningRateRetained.optional(),
    learningRateReinitialised: rates.learningRateReinitialised.optional(),
  })
  .refine(isAverageOfTheLast.check, isAverageOfTheLast.fault)
  .refine(isInOrder.check, isInOrder.fault);
