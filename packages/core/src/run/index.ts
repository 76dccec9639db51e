export * from './dispatcher.js';
export * from './experiment.js';
export * from './experiment-file.js';
export { withLines } from './experiment-lines.js';
export * from './facts.js';
export { flagAtFault, flagsOf, type Overrides, withFlag } from './flags.js';
export { canonicalFacts, Journal, readJournal, readJournalFrom, readJournalSlices } from './journal.js';
export {
  METHOD_NAMES,
  type MethodName,
  type MethodSettings,
  ROUND_NAMES,
  searchesMasks,
  usesAlpha,
} from './method-settings.js';
export { alphaTrainingOf, retrainingOf } from './missing-keys.js';
export { parseExperiment } from './parse-experiment.js';
export { retryGivenUp } from './rewind.js';
export * from './run-command.js';
export * from './run-folder.js';
export { lockRun } from './run-lock.js';
