import { formatCount, formatDuration, formatTime } from '../model/format.js';
import type { RunModel } from '../model/run-model.js';
import { Nothing } from '../ui/states.js';
import { Table } from '../ui/table.js';
import type { ViewProps } from './view-props.js';

/** Who works, on what, and what waits. */
export function Work({ model, pulse }: ViewProps) {
  const { live } = pulse;
  const done = jobsByWorker(model);
  const names = [...new Set([...(live?.workers.map(({ name }) => name) ?? []), ...done.keys()])].sort();
  return (
    <>
      <h2>Queue</h2>
      {live ? (
        <dl class="cards">
          {(
            [
              ['Waiting', live.jobs.waiting],
              ['Active', live.jobs.active],
              ['Done in this phase', live.jobs.done],
              ['Answered without a job', live.jobs.answered],
              ['Done again after a failure', live.jobs.retried],
            ] as const
          ).map(([name, count]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{formatCount(count)}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <Nothing>The process that worked on this run left nothing about its queue.</Nothing>
      )}
      <h2>Workers</h2>
      {pulse.state === 'running' && (
        <p>
          <a href="/workers">All workers, and draining them</a>
        </p>
      )}
      {names.length === 0 ? (
        <Nothing>No worker has done anything yet.</Nothing>
      ) : (
        <Table
          caption="Jobs and their time from the journal, the rest from the process that works, or worked last, on the run"
          columns={[
            { title: 'Worker' },
            { title: 'Engine' },
            { title: 'Does' },
            { title: 'Jobs done', isNumber: true },
            { title: 'Time on them', isNumber: true },
            { title: 'Images/s', isNumber: true },
            { title: 'Memory', isNumber: true },
            { title: 'Failures', isNumber: true },
            { title: 'Last heard' },
          ]}
          rows={names.map((name) => {
            const worker = live?.workers.find((one) => one.name === name);
            const { jobs, seconds, engine } = done.get(name) ?? { jobs: 0, seconds: 0, engine: undefined };
            return {
              key: name,
              cells: [
                name,
                engine ?? '–',
                worker?.job ? <span class="mask">{worker.job}</span> : pulse.state === 'running' ? 'waits' : '–',
                jobs,
                formatDuration(1000 * seconds),
                worker?.imagesPerSecond == null ? '–' : formatCount(Math.round(worker.imagesPerSecond)),
                worker?.memoryBytes == null ? '–' : `${formatCount(Math.round(worker.memoryBytes / 2 ** 20))} MiB`,
                worker?.failures ?? '–',
                worker ? formatTime(worker.lastHeardAt) : '–',
              ],
            };
          })}
        />
      )}
    </>
  );
}

interface Done {
  readonly jobs: number;
  readonly seconds: number;
  readonly engine: string | undefined;
}

function jobsByWorker({ alpha, individuals }: RunModel): Map<string, Done> {
  const workers = new Map<string, Done>();
  for (const { worker, seconds = 0, engine } of [...(alpha ? [alpha] : []), ...individuals]) {
    if (worker === undefined) continue;
    const known = workers.get(worker) ?? { jobs: 0, seconds: 0 };
    workers.set(worker, { jobs: known.jobs + 1, seconds: known.seconds + seconds, engine });
  }
  return workers;
}
