import { z } from 'zod';
import {
  epochRecordSchema,
  maskStringSchema,
  normalisationSchema,
  provenanceSchema,
  runtimeSchema,
  sha256Schema,
} from '../protocol/index.js';
import { dataSplitSchema } from '../protocol/jobs.js';
import { experimentSchema } from './experiment.js';

/**
 * The lines of a journal. Each is a fact: a function of the experiment alone (given engine and threads), so two runs of
 * one experiment have the same facts, whatever happened to their workers. What differs from run to run (when, where,
 * how long) stands beside the fact under `meta`. Evaluations stand in the order in which they arrived.
 */
export const JOURNAL_VERSION = 1;

const accuracy = z.number().min(0).max(1);

const blockSchema = z.strictObject({ name: z.string(), parameters: z.int().min(0) });

export const openedFactSchema = z.strictObject({
  type: z.literal('opened'),
  version: z.literal(JOURNAL_VERSION),
  runId: z.string(),
  experiment: experimentSchema,
  runtime: runtimeSchema,
  data: dataSplitSchema,
  /** [height, width, channels] */
  imageShape: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  classNames: z.array(z.string()),
  /** What the data set's bytes are taken for. Journals of earlier versions do not say. */
  normalisation: normalisationSchema.exactOptional(),
  /** What each bit of a mask stands for. */
  blocks: z.array(blockSchema),
});

const measured = {
  accuracy,
  curve: z.array(epochRecordSchema),
  weights: sha256Schema.nullable(),
  imagesTrained: z.int().min(0),
};

export const alphaFactSchema = z.strictObject({ type: z.literal('alpha'), ...measured, weights: sha256Schema });

export const evaluatedFactSchema = z.strictObject({
  type: z.literal('evaluated'),
  mask: maskStringSchema,
  repeat: z.int().min(0),
  /** The network that the mask was applied to, where that was not alpha (`evolution.inherit`). */
  base: sha256Schema.exactOptional(),
  /** Epochs that it was given, where it was ended before the last of them. */
  epochsGiven: z.int().positive().exactOptional(),
  ...measured,
});

/**
 * An individual that was given up: every trainer that tried it died, hung or ran out of memory. Its fitness counts as 0,
 * the worst there is. Why it failed is a circumstance (`meta.reason`).
 */
export const failedFactSchema = z.strictObject({
  type: z.literal('failed'),
  mask: maskStringSchema,
  repeat: z.int().min(0),
});

/**
 * A part of an individual's training (`evolution.successiveHalving`), after which it was held against the others. Its
 * `evaluated` fact follows when it goes no further, and has all its parts.
 */
export const rungFactSchema = z.strictObject({
  type: z.literal('rung'),
  mask: maskStringSchema,
  repeat: z.int().min(0),
  /** As in `evaluated`. */
  base: sha256Schema.exactOptional(),
  /** Epochs of the training before this part, and with it. */
  from: z.int().min(0),
  until: z.int().positive(),
  ...measured,
});

/** A request of a rival method, answered. */
export const trainedFactSchema = z.strictObject({
  type: z.literal('trained'),
  /** Which round of requests it belongs to, from 1: the budget is shared out by rounds. */
  round: z.int().positive(),
  /** Unique in the run: `pbt-3-2`. */
  id: z.string().min(1),
  /** It was given up: every trainer that tried it died, hung or ran out of memory. Why is a circumstance (`meta.reason`). */
  failed: z.literal(true).exactOptional(),
  ...measured,
});

const memberSchema = z.strictObject({ id: z.string(), accuracy, weights: sha256Schema.nullable() });

/** What a rival method has after a round of its own: see baselines' `Step`. */
export const stepFactSchema = z.strictObject({
  type: z.literal('step'),
  t: z.int().positive(),
  population: z.array(memberSchema).readonly(),
  best: memberSchema.nullable(),
});

/** Bit by bit through zod, the masks of a long run's generations alone take seconds. */
const bitsSchema = z.custom<readonly (0 | 1)[]>(
  (value) => Array.isArray(value) && value.every((bit) => bit === 0 || bit === 1),
  'wants a mask of 0s and 1s',
);

const individualSchema = z.strictObject({ mask: bitsSchema, fitness: accuracy });
const position = z.int().min(0);

/** A closed generation as the algorithm yields it (see evolution's `Generation`); 0 is the initial population. */
export const generationFactSchema = z.strictObject({
  type: z.literal('generation'),
  t: z.int().min(0),
  parents: z.array(individualSchema).readonly(),
  best: individualSchema,
  nabla: z.number().min(0),
  offspring: z.array(individualSchema).readonly(),
  lineage: z
    .array(
      z.strictObject({
        parents: z.tuple([position, position]).readonly(),
        crossover: z.boolean(),
        mutated: z.array(position).readonly(),
      }),
    )
    .readonly(),
  pool: z.array(individualSchema).readonly(),
  clusters: z.array(position).readonly(),
  suppressed: z.array(position).readonly(),
});

export const testedFactSchema = z.strictObject({
  type: z.literal('tested'),
  which: z.enum(['alpha', 'best']),
  weights: sha256Schema,
  accuracy,
});

export const finishedFactSchema = z.strictObject({
  type: z.literal('finished'),
  /** Where a method has no masks, that of what it began with: all 1 from alpha, all 0 from random weights. */
  best: z.strictObject({ mask: maskStringSchema, accuracy, testAccuracy: accuracy, weights: sha256Schema }),
  /** Null where the method uses none. */
  alpha: z.strictObject({ accuracy, testAccuracy: accuracy }).nullable(),
  /** Closed ones; of a rival method, its steps. */
  generations: z.int().min(0),
  /** Individuals asked for by the algorithm, and those of them answered from the journal. */
  evaluations: z.int().min(0),
  cacheHits: z.int().min(0),
  /** Passes over the training images, alpha's among them. */
  epochsTrained: z.int().min(0),
  imagesTrained: z.int().min(0),
});

/** The training of alpha, or of every individual, left the numbers: there is no network, and would be none another time. */
export const divergedFactSchema = z.strictObject({
  type: z.literal('diverged'),
  what: z.enum(['alpha', 'search']),
  /** What was seen and what to change. */
  reason: z.string(),
});

export const factSchema = z.discriminatedUnion('type', [
  openedFactSchema,
  alphaFactSchema,
  evaluatedFactSchema,
  failedFactSchema,
  rungFactSchema,
  trainedFactSchema,
  generationFactSchema,
  stepFactSchema,
  testedFactSchema,
  finishedFactSchema,
  divergedFactSchema,
]);

export type OpenedFact = z.infer<typeof openedFactSchema>;
export type AlphaFact = z.infer<typeof alphaFactSchema>;
export type EvaluatedFact = z.infer<typeof evaluatedFactSchema>;
export type FailedFact = z.infer<typeof failedFactSchema>;
export type RungFact = z.infer<typeof rungFactSchema>;
export type TrainedFact = z.infer<typeof trainedFactSchema>;
export type GenerationFact = z.infer<typeof generationFactSchema>;
export type TestedFact = z.infer<typeof testedFactSchema>;
export type FinishedFact = z.infer<typeof finishedFactSchema>;
export type DivergedFact = z.infer<typeof divergedFactSchema>;
export type Fact = z.infer<typeof factSchema>;

/** Circumstances of a fact: for people, never for the algorithm. */
export const metaSchema = z.strictObject({
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
  provenance: provenanceSchema.optional(),
  /** The fact was known from an earlier run (an alpha trained before). */
  reused: z.boolean().optional(),
  /** Why an individual was given up. */
  reason: z.string().optional(),
});
export type Meta = z.infer<typeof metaSchema>;

export const journalLineSchema = z.strictObject({ seq: z.int().min(0), meta: metaSchema, fact: factSchema });
export type JournalLine = z.infer<typeof journalLineSchema>;
