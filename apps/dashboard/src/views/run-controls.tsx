import type { RunPulse } from '@nesgd/core/view';
import { useState } from 'preact/hooks';
import { giveOrder, type Order, RequestError } from '../api/client.js';
import { ConfirmedButton } from '../ui/confirmed-button.js';
import { Problem } from '../ui/states.js';

/** What was told last, and what came of it. */
type Told =
  | { readonly kind: 'asked'; readonly order: Order }
  | { readonly kind: 'done' | 'refused'; readonly message: string };

const ASKED: Readonly<Record<Order, string>> = {
  pause: 'The run is told to pause …',
  resume: 'The run is told to go on …',
  stop: 'The run is told to stop …',
};

/** Pauses a run, lets it go on, stops it. The buttons are there while a process works on it, the answer stays. */
export function RunControls({ runId, pulse }: { runId: string; pulse: RunPulse }) {
  const [told, setTold] = useState<Told>();
  const isAsking = told?.kind === 'asked';
  const tell = async (order: Order) => {
    setTold({ kind: 'asked', order });
    try {
      setTold({ kind: 'done', message: (await giveOrder(runId, order)).message });
    } catch (error) {
      setTold({ kind: 'refused', message: error instanceof RequestError ? error.message : String(error) });
    }
  };
  return (
    <section aria-label="Control of the run">
      {pulse.state === 'running' && (
        <div class="controls">
          <button type="button" disabled={isAsking} onClick={() => void tell(pulse.paused ? 'resume' : 'pause')}>
            {pulse.paused ? 'Resume' : 'Pause'}
          </button>
          <ConfirmedButton
            label="Stop …"
            disabled={isAsking}
            question="Stop this run?"
            confirm="Stop the run"
            refuse="Let it go on"
            onConfirm={() => void tell('stop')}
          >
            Its process ends. What was measured is kept, and the answer says which command goes on with it.
          </ConfirmedButton>
        </div>
      )}
      <div role="status" class="faint">
        {told?.kind === 'asked' && ASKED[told.order]}
        {told?.kind === 'done' && told.message}
      </div>
      {told?.kind === 'refused' && <Problem>{told.message}</Problem>}
    </section>
  );
}
