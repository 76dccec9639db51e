/** Processes that train steps on demand; training itself is in the child alone. */
export { StepProcess, StepProcessError, startSteps } from './step-process.js';
