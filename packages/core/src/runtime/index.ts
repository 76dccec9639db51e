export { type RunningBroker, type StartBrokerOptions, startBroker } from './broker.js';
export type { Check } from './check.js';
export { doctor } from './doctor.js';
export { detectEngines, type EngineFinding } from './engines.js';
export { findBrokerBinary } from './find-broker.js';
export { type CardFinding, findCards } from './find-cards.js';
export { findTensorflow, type TensorflowSearch } from './tensorflow.js';
