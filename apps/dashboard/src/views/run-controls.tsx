import type { RunPulse } from '@nesgd/core/view';
import { giveOrder, type Order } from '../api/client.js';
import { server } from '../api/server.js';
import { formatCount } from '../model/format.js';
import { ConfirmedButton } from '../ui/confirmed-button.js';
import { Nothing } from '../ui/states.js';
import { type Telling, ToldStatus } from '../ui/told.js';
import { PriorityForm } from './priority-form.js';

interface RunControlsProps {
  readonly runId: string;
  readonly pulse: RunPulse;
  /** Individuals that were given up and can have another chance. */
  readonly givenUp: number;
  /** Outlives this: after a retry the run is read from its start again. */
  readonly telling: Telling;
}

/** Tells a run what its state allows. The answer stays until the next order. */
export function RunControls({ runId, pulse, givenUp, telling }: RunControlsProps) {
  const { told, isAsking, tell } = telling;
  const order = (what: Order, text: string) =>
    void tell(`The run is told to ${text} …`, async () => (await giveOrder(runId, what)).message);
  const { state, paused } = pulse;
  const canRetry = givenUp > 0 && (state === 'stopped' || state === 'finished');
  const readOnly = server.value?.readOnly;
  if (readOnly) return <Nothing>This run cannot be told anything from here: {readOnly}.</Nothing>;
  return (
    <section aria-label="Control of the run">
      <div class="controls">
        {state === 'running' && (
          <button
            type="button"
            disabled={isAsking}
            onClick={() => (paused ? order('resume', 'go on') : order('pause', 'pause'))}
          >
            {paused ? 'Resume' : 'Pause'}
          </button>
        )}
        {state === 'stopped' && (
          <button type="button" disabled={isAsking} onClick={() => order('resume', 'go on')}>
            Resume
          </button>
        )}
        {state === 'running' && !paused && (
          <ConfirmedButton
            label="Pause now …"
            disabled={isAsking}
            question="Give up what is under way?"
            confirm="Pause now"
            refuse="Let it be finished"
            onConfirm={() => order('pause now', 'pause now')}
          >
            Trainings under way end at once. They go on from their last snapshot, or begin again, when the run goes on.
          </ConfirmedButton>
        )}
        {state === 'running' && (
          <ConfirmedButton
            label="Stop …"
            disabled={isAsking}
            question="Stop this run?"
            confirm="Stop the run"
            refuse="Let it go on"
            onConfirm={() => order('stop', 'stop')}
          >
            Its process ends. What was measured is kept, and Resume goes on with it.
          </ConfirmedButton>
        )}
        {canRetry && (
          <ConfirmedButton
            label="Retry failed …"
            disabled={isAsking}
            question={`Retry ${formatCount(givenUp)} given up ${givenUp === 1 ? 'individual' : 'individuals'}?`}
            confirm="Retry"
            refuse="Leave it as it is"
            onConfirm={() => order('retry', 'try them again')}
          >
            The run goes back to the generation in which the first was given up. What was measured in it stays; later
            generations are searched anew. The journal as it is stays beside the new one.
          </ConfirmedButton>
        )}
        {state === 'running' && (
          <PriorityForm
            priority={pulse.priority}
            disabled={isAsking}
            onChange={(priority) => order({ priority }, `have priority ${priority}`)}
          />
        )}
      </div>
      <ToldStatus told={told} />
    </section>
  );
}
