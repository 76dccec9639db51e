import type { WorkerList } from '@nesgd/core/view';
import { useEffect, useState } from 'preact/hooks';
import { drainWorker, fetchWorkers } from '../api/client.js';
import { askServer, server } from '../api/server.js';
import { usePolled } from '../api/use-polled.js';
import { formatTime } from '../model/format.js';
import { ConfirmedButton } from '../ui/confirmed-button.js';
import { Loading, Nothing, Problem } from '../ui/states.js';
import { Table } from '../ui/table.js';
import { type Telling, ToldStatus, useTelling } from '../ui/told.js';

type Worker = WorkerList['workers'][number];

const REFRESH_MS = 3_000;

/** Who works for the runs that go on, whichever started them. */
export function WorkersPage() {
  const { value, problem } = usePolled(fetchWorkers, REFRESH_MS);
  const telling = useTelling();
  /** Told to drain from here: their records say so only with their next sign of life. */
  const [drained, setDrained] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    document.title = 'Workers - nesgd';
    void askServer();
  }, []);
  const readOnly = server.value?.readOnly;
  const drain = (id: string) =>
    telling.tell(`${id} is told to drain …`, async () => {
      await drainWorker(id);
      setDrained(new Set([...drained, id]));
      return `${id} finishes its job, takes no other, and ends.`;
    });
  return (
    <>
      <h1>Workers</h1>
      {problem && <Problem>{problem}. This page asks again every three seconds.</Problem>}
      {!value && !problem && <Loading what="the workers" />}
      {readOnly && <Nothing>Workers of runs cannot be asked or drained from here: {readOnly}.</Nothing>}
      <ToldStatus told={telling.told} />
      {value?.silent.map((runId) => (
        <Nothing key={runId}>
          <a href={`/runs/${encodeURIComponent(runId)}/work`}>{runId}</a> does not say which workers it has just now.
        </Nothing>
      ))}
      {value?.workers.length === 0 && (
        <Nothing>
          No worker is there: a run starts its own, and <code>nesgd worker</code> joins the runs of a broker.
        </Nothing>
      )}
      {value && value.workers.length > 0 && (
        <Table
          caption="Workers of the runs that go on and of the broker that runs share"
          columns={COLUMNS}
          rows={value.workers.map((worker) => {
            const id = idOf(worker, value.workers);
            const state = drained.has(id) && worker.state !== 'drained' ? 'draining' : worker.state;
            return {
              key: `${worker.host} ${worker.pid} ${worker.name}`,
              cells: [
                worker.name,
                state,
                worker.job ? <JobOf job={worker.job} /> : '–',
                worker.host,
                worker.pid,
                formatTime(worker.since),
                <Drain
                  key={id}
                  worker={{ ...worker, state }}
                  id={id}
                  canTell={!readOnly}
                  telling={telling}
                  onConfirm={() => void drain(id)}
                />,
              ],
            };
          })}
        />
      )}
    </>
  );
}

const COLUMNS = [
  { title: 'Worker' },
  { title: 'State' },
  { title: 'Does' },
  { title: 'Host' },
  { title: 'Process', isNumber: true },
  { title: 'Since' },
  { title: 'Control' },
];

/** As the API wants it: the name, and where two have it, their process as well. */
function idOf({ name, pid }: Worker, all: readonly Worker[]): string {
  return all.filter((other) => other.name === name).length > 1 ? `${name}:${pid}` : name;
}

function JobOf({ job }: { job: NonNullable<Worker['job']> }) {
  return (
    <>
      <span class="mask">{job.what}</span> of <a href={`/runs/${encodeURIComponent(job.runId)}/work`}>{job.runId}</a>
    </>
  );
}

interface DrainProps {
  readonly worker: Worker;
  readonly id: string;
  readonly canTell: boolean;
  readonly telling: Telling;
  readonly onConfirm: () => void;
}

function Drain({ worker, id, canTell, telling, onConfirm }: DrainProps) {
  if (worker.local) return <span class="faint">works for its run alone: pause or stop that</span>;
  if (!canTell || worker.state === 'draining' || worker.state === 'drained') return <>–</>;
  return (
    <ConfirmedButton
      label="Drain …"
      name={`Drain ${id} …`}
      disabled={telling.isAsking}
      question={`Drain ${id}?`}
      confirm="Drain it"
      refuse="Let it work"
      onConfirm={onConfirm}
    >
      It finishes its job, takes no other, and its process ends. To have it back it must be started anew.
    </ConfirmedButton>
  );
}
