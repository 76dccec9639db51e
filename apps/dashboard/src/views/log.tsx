import { formatTime } from '../model/format.js';
import { Nothing } from '../ui/states.js';
import { Table } from '../ui/table.js';
import type { ViewProps } from './view-props.js';
import { WorkerLogs } from './worker-logs.js';

/** What the coordinator said, the last first. */
export function Log({ model, opened, pulse }: ViewProps) {
  const log = pulse.live?.log ?? [];
  const failed = model.individuals.filter(({ failure }) => failure !== undefined);
  return (
    <>
      <h2>Log</h2>
      {failed.length > 0 && (
        <Table
          caption="Individuals that were given up; their fitness counts as 0"
          columns={[{ title: 'When' }, { title: 'Individual' }, { title: 'Why' }]}
          rows={failed.map(({ number, at, name, failure }) => ({
            key: number,
            cells: [formatTime(at), <span class="mask">{name}</span>, failure],
          }))}
        />
      )}
      {log.length === 0 ? (
        <Nothing>Nothing out of the ordinary has happened.</Nothing>
      ) : (
        <Table
          caption="Notices, and jobs that had to be done again; the last 200"
          columns={[{ title: 'When' }, { title: 'What' }, { title: 'Text' }]}
          rows={log.toReversed().map(({ at, kind, text }, i) => ({
            key: log.length - i,
            cells: [formatTime(at), kind === 'retry' ? 'done again' : 'notice', text],
          }))}
        />
      )}
      <WorkerLogs runId={opened.runId} isRunning={pulse.state === 'running'} />
    </>
  );
}
