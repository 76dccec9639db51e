import {
  type AlphaJob,
  type AlphaTraining,
  type EvaluateJob,
  type MeasureJob,
  PROTOCOL_VERSION,
  type RecombineJob,
  type TrainJob,
} from '@nesgd/core/protocol';
import { type OpenedFact, retrainingOf } from '@nesgd/core/run';

/** The jobs of one run: each a function of the opening fact and its arguments, so a resumed run sends the same ones. */
export function jobsOf(opened: OpenedFact) {
  const { experiment, runtime, data } = opened;
  const common = {
    version: PROTOCOL_VERSION,
    runId: opened.runId,
    seed: experiment.seed,
    runtime,
    data,
    model: experiment.model,
    measureOn: experiment.fitness,
  } as const;

  return {
    alpha: (training: AlphaTraining): AlphaJob => ({ ...common, kind: 'alpha', training }),
    evaluate: ({
      epochs,
      ...individual
    }: Pick<EvaluateJob, 'alpha' | 'mask' | 'repeat' | 'keepWeightsAbove' | 'stopBelow' | 'part'> & {
      epochs: number;
    }): EvaluateJob => ({
      ...common,
      kind: 'evaluate',
      training: { ...retrainingOf(experiment), epochs },
      ...individual,
    }),
    train: (
      training: Pick<TrainJob, 'weights' | 'training' | 'stream' | 'initialStream' | 'keepWeightsAbove'>,
    ): TrainJob => ({
      ...common,
      kind: 'train',
      ...training,
    }),
    recombine: (offspring: Pick<RecombineJob, 'parents' | 'noise' | 'stream'>): RecombineJob => ({
      ...common,
      kind: 'recombine',
      ...offspring,
    }),
    /** Accuracy of stored weights on the fitness split. */
    measure: (weights: string): MeasureJob => ({ ...common, kind: 'measure', weights }),
    test: (weights: string): MeasureJob => ({ ...common, kind: 'measure', weights, measureOn: 'test' }),
  };
}
