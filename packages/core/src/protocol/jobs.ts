import { z } from 'zod';
import { runtimeSchema } from './means.js';
import { alphaTrainingSchema, augmentationSchema, modelSchema, retrainSchema } from './training-settings.js';

/**
 * What travels on the queue. A job names data and weights by content (SHA-256), never by path, so any machine that
 * can fetch by hash can do it, and doing it twice gives the same bits.
 */
export const PROTOCOL_VERSION = 3;

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 is 64 lower-case hexadecimal digits');
export const maskStringSchema = z.string().regex(/^[01]+$/, 'a mask is a string of 0 and 1');

/** A packed data set and which of its images play which part. */
export const dataSplitSchema = z.strictObject({
  /** Content hash of the packed data set (see `datasets`). */
  dataset: sha256Schema,
  /** Images taken for training and validation together, stratified by class; null: all. */
  trainImages: z.int().positive().nullable(),
  testImages: z.int().positive().nullable(),
  validationFraction: z.number().min(0).lt(1),
  augmentation: augmentationSchema,
});
export type DataSplit = z.infer<typeof dataSplitSchema>;

const common = {
  version: z.literal(PROTOCOL_VERSION),
  runId: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/, 'not the id of a run'),
  /** The run's seed; each kind of job derives its own streams from it. */
  seed: z.int().min(0),
  runtime: runtimeSchema,
  data: dataSplitSchema,
  model: modelSchema,
  /** The split that accuracies are measured on. */
  measureOn: z.enum(['validation', 'test']),
};

/** Train the alpha checkpoint from random weights. */
export const alphaJobSchema = z.strictObject({
  ...common,
  kind: z.literal('alpha'),
  training: alphaTrainingSchema,
});

/** Apply a mask to alpha, retrain with two learning rates, measure: one individual's fitness (Eq. 6). */
export const evaluateJobSchema = z.strictObject({
  ...common,
  kind: z.literal('evaluate'),
  alpha: sha256Schema,
  mask: maskStringSchema.max(10_000),
  /** 0, or t when this genome is measured anew in generation t (`reevaluateSurvivors`): draws differ. */
  repeat: z.int().min(0),
  training: retrainSchema,
  /** The training ends after such an epoch where its accuracy is below; left out, it goes to its end. */
  stopBelow: z
    .array(z.strictObject({ epoch: z.int().positive(), accuracy: z.number().min(0).max(1) }))
    .max(1_000)
    .exactOptional(),
  /** Successive halving: this job trains the epochs after `from` up to `until` of a training that is `epochs` long. */
  part: z
    .strictObject({ from: z.int().min(0), until: z.int().positive() })
    .refine(({ from, until }) => from < until, { error: 'a part of a training ends after it begins' })
    .exactOptional(),
  /** Store the retrained weights when the fitness exceeds this; null: always. */
  keepWeightsAbove: z.number().nullable(),
});

/** Measure stored weights: an alpha trained elsewhere on `validation`; alpha and the winner, once a run, on `test`. */
export const measureJobSchema = z.strictObject({
  ...common,
  kind: z.literal('measure'),
  weights: sha256Schema,
});

/** Train by plain SGD, from random or stored weights: what the rivals of NE-SGD ask for. */
export const trainJobSchema = z.strictObject({
  ...common,
  kind: z.literal('train'),
  /** Where it starts; null: random weights. */
  weights: sha256Schema.nullable(),
  training: alphaTrainingSchema,
  /** Names the draws within the run's seed: one name a training, or two would see the same images in the same order. */
  stream: z.string().min(1).max(100),
  /** Random weights are drawn from the stream of this name instead; left out, from its own. */
  initialStream: z.string().min(1).max(100).exactOptional(),
  /** As in an evaluation. */
  keepWeightsAbove: z.number().nullable(),
});

/** Average stored networks, add noise, measure, store: an offspring of ESGD. Trains nothing. */
export const recombineJobSchema = z.strictObject({
  ...common,
  kind: z.literal('recombine'),
  parents: z.array(sha256Schema).min(1).max(100),
  /** Standard deviation of the Gaussian noise on every trainable parameter. */
  noise: z.number().min(0),
  stream: z.string().min(1).max(100),
});

export const jobSchema = z.discriminatedUnion('kind', [
  alphaJobSchema,
  evaluateJobSchema,
  measureJobSchema,
  trainJobSchema,
  recombineJobSchema,
]);
export type Job = z.infer<typeof jobSchema>;
export type AlphaJob = z.infer<typeof alphaJobSchema>;
export type EvaluateJob = z.infer<typeof evaluateJobSchema>;
export type MeasureJob = z.infer<typeof measureJobSchema>;
export type TrainJob = z.infer<typeof trainJobSchema>;
export type RecombineJob = z.infer<typeof recombineJobSchema>;

/** Whether another job may go on where this one stops, so that the state of its training is worth keeping. */
export function stopsBetween(job: Job): boolean {
  return job.kind === 'evaluate' && job.part !== undefined && job.part.until < job.training.epochs;
}

export const epochRecordSchema = z.strictObject({
  /** 1-based. */
  epoch: z.int().positive(),
  /** Mean cross-entropy over the epoch's training images; null where it was not a number: the training diverged. */
  trainLoss: z.number().nullable(),
  /** On the job's `measureOn` split; null where not measured after this epoch. */
  accuracy: z.number().min(0).max(1).nullable(),
});
export type EpochRecord = z.infer<typeof epochRecordSchema>;

/** The facts a job establishes: a pure function of the job (given engine and thread count). */
export const jobResultSchema = z.strictObject({
  /** Accuracy in [0, 1] on the job's `measureOn` split. */
  accuracy: z.number().min(0).max(1),
  /** One record an epoch, of a part those of the part; empty for `measure` and `recombine`. */
  curve: z.array(epochRecordSchema),
  /** The weights as a safetensors blob, where the job stored them. */
  weights: sha256Schema.nullable(),
  /** Training images seen, all epochs together: the budget spent. */
  imagesTrained: z.int().min(0),
});
export type JobResult = z.infer<typeof jobResultSchema>;

/** Live, never a fact: lost without harm. */
export const progressSchema = z.strictObject({
  epoch: z.int().positive(),
  epochs: z.int().positive(),
  trainLoss: z.number(),
  accuracy: z.number().nullable(),
  imagesPerSecond: z.number(),
  /** Resident memory of the trainer's process. */
  memoryBytes: z.int().min(0).exactOptional(),
});
export type Progress = z.infer<typeof progressSchema>;

/** How a result came about: for people and logs, kept apart from the facts because it differs from run to run. */
export const provenanceSchema = z.strictObject({
  worker: z.string(),
  engine: z.string(),
  /** The kind of processor or card, where bits depend on it (`computedOn`). */
  processor: z.string().max(200).exactOptional(),
  seconds: z.number(),
});
export type Provenance = z.infer<typeof provenanceSchema>;
