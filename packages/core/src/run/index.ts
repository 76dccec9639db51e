export * from './canonical-json.js';
export * from './dispatcher.js';
export * from './experiment.js';
export * from './experiment-file.js';
export * from './facts.js';
export { canonicalFacts, Journal, readJournal, readJournalFrom } from './journal.js';
export * from './run-command.js';
export * from './run-folder.js';
