import { InputError } from '../errors.js';

/**
 * `NESGD_SNAPSHOT_EPOCHS`: after every how many epochs the state of a training is kept, so that one whose worker dies goes
 * on from there; 0: never. It changes no result.
 * @returns undefined where it is not set: after an epoch that ends a minute or more after the last snapshot.
 * @throws InputError for another text.
 */
export function snapshotEpochs(env: NodeJS.ProcessEnv): number | undefined {
  const text = env.NESGD_SNAPSHOT_EPOCHS;
  if (!text) return undefined;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InputError(
    'SNAPSHOT_EPOCHS',
    `NESGD_SNAPSHOT_EPOCHS is ${text}: give a whole number of epochs, 0 for none`,
  );
}
