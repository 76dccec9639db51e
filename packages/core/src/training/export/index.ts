/** Networks as files for others. No TensorFlow.js is needed to write them. */
export { graphModelFiles, type UsableNetwork } from './graph-model.js';
