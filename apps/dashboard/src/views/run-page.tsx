import { useEffect, useMemo } from 'preact/hooks';
import { useRoute } from 'preact-iso';
import { RunConnection } from '../api/run-connection.js';
import { Loading, Nothing, Problem, StateMark } from '../ui/states.js';
import { useTelling } from '../ui/told.js';
import { RunControls } from './run-controls.js';
import { viewsOf } from './views.js';

/** One run: its views share one connection. */
export function RunPage() {
  const { params } = useRoute();
  const runId = params.runId ?? '';
  return <Run key={runId} runId={runId} view={params.view ?? 'overview'} />;
}

function Run({ runId, view }: { runId: string; view: string }) {
  const connection = useMemo(() => new RunConnection(runId), [runId]);
  useEffect(() => () => connection.close(), [connection]);
  const telling = useTelling();
  const views = viewsOf(connection.model);
  const shown = views.find(({ path }) => path === view);
  useEffect(() => {
    document.title = `${runId}: ${shown?.title ?? ''} - nesgd`;
  }, [runId, shown]);

  const state = connection.state.value;
  const pulse = connection.pulse.value;
  const { model } = connection;
  void connection.changes.value; // Drawn again when it changes.
  return (
    <>
      <h1>{runId}</h1>
      {state.kind === 'refused' && (
        <Problem>
          {state.error.message} (<a href="/">all runs</a>)
        </Problem>
      )}
      {state.kind === 'lost' && (
        <Problem>The coordinator does not answer. What is shown was true; the page asks again every second.</Problem>
      )}
      {state.kind === 'loading' && <Loading what="the run" share={state.share} />}
      {state.kind !== 'loading' && model.opened && (
        <>
          <StateMark state={pulse.paused ? 'paused' : pulse.state} />
          {pulse.holder && pulse.state === 'running' && (
            <span class="faint">
              {' '}
              by process {pulse.holder.pid} on {pulse.holder.host}
            </span>
          )}
          <RunControls runId={runId} pulse={pulse} givenUp={model.givenUp} telling={telling} />
          <nav class="views" aria-label="Views of the run">
            {views.map(({ path, title }) => (
              <a
                key={path}
                href={`/runs/${encodeURIComponent(runId)}/${path}`}
                aria-current={path === view ? 'page' : undefined}
              >
                {title}
              </a>
            ))}
          </nav>
          {shown ? (
            <shown.View model={model} opened={model.opened} pulse={pulse} changes={connection.changes.value} />
          ) : (
            <Nothing>This run has no view of that name.</Nothing>
          )}
        </>
      )}
    </>
  );
}
