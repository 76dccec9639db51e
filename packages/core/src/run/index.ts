export * from './canonical-json.js';
export * from './dispatcher.js';
export * from './experiment.js';
export * from './experiment-file.js';
export * from './facts.js';
export { type Overrides, withFlag } from './flags.js';
export {
  canonicalFacts,
  canonicalFacts,
  Journal,
  Journal,
  readJournal,
  readJournal,
  readJournalFrom,
} from './journal.js';
export { parseExperiment } from './parse-experiment.js';
export * from './run-command.js';
export * from './run-folder.js';
