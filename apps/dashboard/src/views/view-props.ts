import type { OpenedFact } from '@nesgd/core/run';
import type { RunPulse } from '@nesgd/core/view';
import type { RunModel } from '../model/run-model.js';

/** What every view of a run is drawn from. */
export interface ViewProps {
  /** Grows in place. */
  readonly model: RunModel;
  readonly opened: OpenedFact;
  readonly pulse: RunPulse;
  /** Differs whenever the model does. */
  readonly changes: number;
}
