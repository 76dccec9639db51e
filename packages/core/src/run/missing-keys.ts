import { searchesMasks, usesAlpha } from '../methods/index.js';
import type { AlphaTraining, Retraining } from '../protocol/index.js';
import type { Experiment } from './experiment.js';

/** A key that the method of an experiment goes by, and that is not there. */
export interface MissingKey {
  readonly path: readonly string[];
  /** What would be right. */
  readonly wanted: string;
}

const EPOCHS = 'a whole number of 1 or more';
const RATE = 'a number above 0';

/** What a method needs is refused where it is missing; what it does not look at may be left out. */
export function missingKeys({
  alpha,
  retrain,
  method,
}: Pick<Experiment, 'alpha' | 'retrain' | 'method'>): MissingKey[] {
  const missing: MissingKey[] = [];
  const demand = (section: string, name: string, value: unknown, wanted: string) => {
    if (value === undefined) missing.push({ path: [section, name], wanted });
  };
  const masks = searchesMasks(method.name);
  const alphaIsTrained = !('from' in alpha) && (usesAlpha(method.name) || method.name === 'sgd');
  if (alphaIsTrained && !(method.name === 'sgd' && method.sgd.epochs !== undefined)) {
    demand('alpha', 'epochs', alpha.epochs, EPOCHS);
  }
  if (usesAlpha(method.name)) demand('retrain', 'epochs', retrain?.epochs, EPOCHS);
  if (masks) demand('retrain', 'learningRateRetained', retrain?.learningRateRetained, RATE);
  if (masks || (method.name === 'sgd-restarts' && method.sgdRestarts.learningRate === undefined)) {
    demand('retrain', 'learningRateReinitialised', retrain?.learningRateReinitialised, RATE);
  }
  return missing;
}

/** What an individual goes through. @throws where the method searches no masks: its experiment need not say. */
export function retrainingOf({ retrain, method }: Experiment): Retraining {
  const { learningRateRetained, learningRateReinitialised } = retrain ?? {};
  if (!retrain || learningRateRetained === undefined || learningRateReinitialised === undefined) {
    throw new Error(`an experiment of method ${method.name} has no settings of a retraining`);
  }
  return { ...retrain, learningRateRetained, learningRateReinitialised };
}

/** How alpha is trained. @throws where it is not trained, or the method has no need of its epochs. */
export function alphaTrainingOf({ alpha, method }: Experiment): AlphaTraining {
  if ('from' in alpha || alpha.epochs === undefined) {
    throw new Error(`an experiment of method ${method.name} has no settings of a whole training`);
  }
  return { ...alpha, epochs: alpha.epochs };
}
