import { z } from 'zod';
import { datasetSchema } from '../datasets/spec.js';
import { usesAlpha } from '../methods/index.js';
import {
  alphaSettingsSchema,
  DEVICE_CHOICES,
  modelSchema,
  PRECISIONS,
  retrainSettingsSchema,
} from '../protocol/index.js';
import { methodSchema } from './method-settings.js';
import { missingKeys } from './missing-keys.js';

/** One experiment: what `experiments/*.yaml` say. Every key is checked; unknown ones are refused. */

const alphaSchema = z.union([
  alphaSettingsSchema,
  /** An alpha trained elsewhere: a safetensors file of this model; a relative path counts from the current folder. */
  z.strictObject({ from: z.string().min(1) }),
]);

const probability = z.number().min(0).max(1);

const evolutionSchema = z.strictObject({
  /** m, in Table I 5. What a round of other methods trains, too. */
  populationSize: z.int().min(2).default(5),
  /** T, in Table I 30; 0 measures the initial population only. */
  generations: z.int().min(0).default(30),
  /** mu */
  crossoverProbability: probability.default(0.9),
  /** nu, a bit */
  mutationProbability: probability.default(0.1),
  crossover: z.enum(['uniform', 'one-point']).default('uniform'),
  linkage: z.enum(['average', 'single', 'complete']).default('average'),
  /** Algorithm 2; off is the paper's ablation (Table V). */
  suppression: z.boolean().default(true),
  /** Measure survivors anew in each generation instead of keeping their accuracy. */
  reevaluateSurvivors: z.boolean().default(false),
  /** Share of 1s (kept blocks) in the initial population. */
  initialRetainProbability: probability.default(0.5),
  /** What masks are applied to: alpha for ever, or the best network so far, alpha among them, from generation to generation. */
  inherit: z.enum(['none', 'best']).default('none'),
  /** Epochs of a retraining in generation 0, growing to `retrain.epochs` in the last generation. */
  firstEpochs: z.int().positive().optional(),
  /** Parts of a retraining after which one below the median of all earlier generations' is ended. */
  stopBelowMedian: z.array(z.number().gt(0).lt(1)).default([]),
  /** Of a generation's retrainings all go as far as the first rung, one in eta to the next, and so on. */
  successiveHalving: z
    .strictObject({
      /** Epochs of the first rung; each is eta times as long as the one before, the last a whole retraining. */
      firstEpochs: z.int().positive(),
      eta: z.int().min(2).max(100).default(3),
    })
    .optional(),
  /** Steady-state evolution with so many retrainings under way; none: generations. */
  steadyStateLag: z.int().positive().optional(),
});
export type EvolutionSettings = z.infer<typeof evolutionSchema>;

/** Settings that say something of a whole generation. */
const BY_GENERATIONS = [
  'reevaluateSurvivors',
  'inherit',
  'firstEpochs',
  'stopBelowMedian',
  'successiveHalving',
] as const;

function knowsNoGenerations(e: z.infer<typeof evolutionSchema>): boolean {
  const { reevaluateSurvivors, inherit, firstEpochs, stopBelowMedian, successiveHalving } = e;
  const endsSome = stopBelowMedian.length > 0 || successiveHalving !== undefined;
  return !reevaluateSurvivors && inherit === 'none' && firstEpochs === undefined && !endsSome;
}

/** Accuracies in [0, 1]. */
const expectationSchema = z.strictObject({
  /** Where it is printed. */
  source: z.string().min(1),
  /** Of the network that the method ends with. */
  testAccuracy: probability.optional(),
  /** Of SGD alone: what it is held against. */
  sgdTestAccuracy: probability.optional(),
  /** Of a population, or of trainings repeated. */
  minimum: probability.optional(),
  lowerQuartile: probability.optional(),
  median: probability.optional(),
  upperQuartile: probability.optional(),
  maximum: probability.optional(),
  standardDeviation: probability.optional(),
});
export type Expectation = z.infer<typeof expectationSchema>;

export const experimentSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/,
        'up to 64 letters, digits, ".", "_" and "-", with a letter or digit first',
      ),
    seed: z.int().min(0),
    dataset: datasetSchema,
    model: modelSchema,
    alpha: alphaSchema,
    /** Methods that train from random weights have none. */
    retrain: retrainSettingsSchema.optional(),
    evolution: evolutionSchema.prefault({}),
    method: methodSchema.prefault({}),
    /**
     * Training images that the method may see, alpha's among them where it uses alpha; counted over all epochs and all
     * networks. The method then goes on until less than an epoch is left, whatever number of generations, repetitions
     * or steps is set.
     */
    budget: z.int().positive().optional(),
    /** What somebody published for this experiment: to be compared with, by people. Nothing is done with it. */
    expectation: expectationSchema.optional(),
    /** Which accuracy is fitness. `test` is the paper's way and spends the test set on the search. */
    fitness: z.enum(['validation', 'test']).default('validation'),
    runtime: z
      .strictObject({
        /** Threads of one trainer. One is fastest for a population; the count is part of what results depend on. */
        threads: z.int().positive().max(1024).default(1),
        /** What convolutions multiply in; results depend on it. */
        precision: z.enum(PRECISIONS).default('float32'),
        /** What a run computes on; not said is `auto`. Results depend on it. */
        device: z.enum(DEVICE_CHOICES).optional(),
        /** Trainers that share a card; not said is 1. */
        workersPerDevice: z.int().positive().max(64).optional(),
      })
      .default({ threads: 1, precision: 'float32' }),
  })
  .refine((e) => e.fitness === 'test' || e.dataset.validationFraction > 0, {
    path: ['dataset', 'validationFraction'],
    error: 'is 0, but fitness: validation needs validation images: give a fraction above 0, such as 0.1',
  })
  .superRefine((e, context) => {
    for (const { path, wanted } of missingKeys(e)) {
      const message = `is missing, and method.name ${e.method.name} needs it: give ${wanted}`;
      context.addIssue({ code: 'custom', path: [...path], message });
    }
  })
  .refine((e) => (e.evolution.firstEpochs ?? 1) <= (e.retrain?.epochs ?? Number.POSITIVE_INFINITY), {
    path: ['evolution', 'firstEpochs'],
    error: 'is above retrain.epochs, to which it grows: give at most as many',
  })
  .refine((e) => (e.evolution.successiveHalving?.firstEpochs ?? 0) < (e.retrain?.epochs ?? Number.POSITIVE_INFINITY), {
    path: ['evolution', 'successiveHalving', 'firstEpochs'],
    error: 'is not below retrain.epochs, which the best of them get: give fewer',
  })
  .refine(
    ({ evolution: e }) => !e.successiveHalving || (e.firstEpochs === undefined && e.stopBelowMedian.length === 0),
    {
      path: ['evolution', 'successiveHalving'],
      error:
        'ends retrainings by a rule of its own: leave evolution.firstEpochs and evolution.stopBelowMedian as they are',
    },
  )
  .refine((e) => (e.evolution.steadyStateLag ?? 1) <= e.evolution.populationSize, {
    path: ['evolution', 'steadyStateLag'],
    error: 'is above populationSize: at most as many retrainings can be under way before the first of them is known',
  })
  .refine((e) => e.evolution.steadyStateLag === undefined || knowsNoGenerations(e.evolution), {
    path: ['evolution', 'steadyStateLag'],
    error: `takes results one by one, so what goes by generations goes without it: leave ${BY_GENERATIONS.join(', ')} as they are`,
  })
  .refine((e) => usesAlpha(e.method.name) || !('from' in e.alpha), {
    path: ['alpha', 'from'],
    error: (issue) => {
      const { name } = (issue.input as { method: { name: string } }).method;
      return `names a file, but method ${name} trains from random weights with alpha's settings: give alpha.epochs and alpha.learningRate instead`;
    },
  });
export type Experiment = z.infer<typeof experimentSchema>;
