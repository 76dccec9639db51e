import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { fetchExperiment, type StartRequest, startRun } from '../api/client.js';
import { askServer, server } from '../api/server.js';
import { ExperimentEditor } from '../ui/experiment-editor.js';
import { Problem } from '../ui/states.js';
import { ToldStatus, useTelling } from '../ui/told.js';
import { EXAMPLE } from './example-experiment.js';
import { ExperimentFaults } from './experiment-faults.js';
import { ExperimentFile } from './experiment-file.js';
import { StartOptions } from './start-options.js';

/** Kept while one looks at other pages. */
const draft = signal('');
const EMPTY_OPTIONS = { runId: '', workers: '', priority: '' };
const options = signal(EMPTY_OPTIONS);

/** Starts a run from an experiment file; what is wrong with it is said beside the line it is in. */
export function NewRunPage() {
  const { query, route } = useLocation();
  const { told, isAsking, tell } = useTelling();
  const editor = useRef<HTMLTextAreaElement>(null);
  const { from } = query;
  useEffect(() => {
    document.title = 'Start a run - nesgd';
    void askServer();
  }, []);
  useEffect(() => {
    if (from === undefined) return;
    void tell(`The experiment of ${from} is read …`, async () => {
      draft.value = await fetchExperiment(from);
      return `This is the experiment of ${from}: change what you like.`;
    });
  }, [from]);

  const start = () =>
    tell('The run is being started …', async () => {
      const { runId, state } = await startRun(requestOf(draft.value, options.value));
      if (state === 'starting') return `The data of run ${runId} are being prepared: it is in the list when they are.`;
      draft.value = '';
      options.value = EMPTY_OPTIONS;
      route(`/runs/${encodeURIComponent(runId)}`);
      return `Run ${runId} has begun.`;
    });
  const faults = told?.kind === 'refused' ? told.error.faults : [];
  const readOnly = server.value?.readOnly;

  return (
    <>
      <h1>Start a run</h1>
      {readOnly && <Problem>No run can be started from here: {readOnly}.</Problem>}
      <form
        class="start"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <div class="controls">
          <ExperimentFile
            take={(text) => {
              draft.value = text;
              editor.current?.focus();
            }}
          />
          <button
            type="button"
            onClick={() => {
              draft.value = EXAMPLE;
              editor.current?.focus();
            }}
          >
            Fill in an example
          </button>
        </div>
        <div class="beside">
          <ExperimentEditor
            text={draft.value}
            change={(text) => {
              draft.value = text;
            }}
            area={editor}
            faultyLines={faults.flatMap(({ line }) => line ?? [])}
            describedBy={faults.length > 0 ? FAULTS_ID : undefined}
          />
          {faults.length > 0 && <ExperimentFaults id={FAULTS_ID} faults={faults} editor={editor} />}
        </div>
        <StartOptions
          values={options.value}
          change={(changed) => {
            options.value = { ...options.value, ...changed };
          }}
        />
        <div class="controls">
          <button type="submit" class="primary" disabled={isAsking || Boolean(readOnly)}>
            Start the run
          </button>
        </div>
        {faults.length === 0 && <ToldStatus told={told} />}
      </form>
    </>
  );
}

const FAULTS_ID = 'experiment-faults';

/** What is left empty is left to the server. */
function requestOf(experiment: string, { runId, workers, priority }: typeof EMPTY_OPTIONS): StartRequest {
  return {
    experiment,
    ...(runId !== '' && { runId }),
    ...(workers !== '' && { workers: Number(workers) }),
    ...(priority !== '' && { priority: Number(priority) }),
  };
}
