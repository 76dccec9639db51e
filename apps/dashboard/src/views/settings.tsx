import { server } from '../api/server.js';
import { Table } from '../ui/table.js';
import type { ViewProps } from './view-props.js';

/** The experiment as resolved, and what it runs on. */
export function Settings({ opened, pulse }: ViewProps) {
  const { experiment, runtime, data, imageShape, classNames } = opened;
  const live = pulse.live?.circumstances;
  const shownBy = server.value && { nesgd: server.value.version, node: server.value.node };
  return (
    <>
      <h2>Experiment</h2>
      <p>
        <a href={`/new?from=${encodeURIComponent(opened.runId)}`}>Start another run from this experiment</a>
      </p>
      <SettingsTable caption="Every key, as --set knows it" value={experiment} />
      <h2>Where it runs</h2>
      <SettingsTable
        caption="What results depend on, and the circumstances of the process that works, or worked last, on the run"
        value={{ runtime, ...(live && { circumstances: live }), ...(shownBy && { shownBy }) }}
      />
      <h2>Data</h2>
      <SettingsTable
        caption="The data set by its SHA-256"
        value={{ ...data, imageShape: imageShape.join(' × '), classes: classNames.join(', ') }}
      />
    </>
  );
}

function SettingsTable({ caption, value }: { caption: string; value: object }) {
  return (
    <Table
      caption={caption}
      columns={[{ title: 'Key' }, { title: 'Value' }]}
      rows={leaves(value, []).map(([key, text]) => ({ key, cells: [key, <span class="mask">{text}</span>] }))}
    />
  );
}

/** `{ alpha: { epochs: 3 } }` -> `[['alpha.epochs', '3']]` */
function leaves(value: unknown, path: readonly string[]): [key: string, text: string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[path.join('.'), typeof value === 'string' ? value : JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
