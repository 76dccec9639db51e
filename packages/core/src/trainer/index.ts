export { type ErrorMessage, errorFromMessage, errorSchema, errorToMessage } from './messages.js';
export { type Room, recommendedWorkers } from './recommended-workers.js';
export { snapshotEpochs } from './snapshot-epochs.js';
export {
  type Done,
  type JobHandlers,
  TrainerDiedError,
  type TrainerOptions,
  TrainerProcess,
} from './trainer-process.js';
export { TrainerSlot, type TrainerSlotOptions } from './trainer-slot.js';
export { hangTimeoutMs } from './watchdog.js';
