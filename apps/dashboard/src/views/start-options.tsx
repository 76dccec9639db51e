import { PriorityField } from '../ui/priority-field.js';

interface Values {
  readonly runId: string;
  readonly workers: string;
  readonly priority: string;
}

interface StartOptionsProps {
  readonly values: Values;
  readonly change: (changed: Partial<Values>) => void;
}

/** What a run is given beside its experiment; the browser says what is wrong with it. */
export function StartOptions({ values, change }: StartOptionsProps) {
  return (
    <fieldset class="controls">
      <legend>Beside the experiment; each may stay empty</legend>
      <label>
        Run id{' '}
        <input
          value={values.runId}
          pattern="[a-zA-Z0-9][a-zA-Z0-9._\-]{0,99}"
          title="up to 100 letters, digits, dots, underscores and hyphens; a letter or digit first"
          placeholder="name and time"
          autocomplete="off"
          onInput={({ currentTarget: { value } }) => change({ runId: value })}
        />
      </label>
      <label>
        Workers{' '}
        <input
          type="number"
          min={1}
          max={1024}
          step={1}
          value={values.workers}
          placeholder="as fit"
          onInput={({ currentTarget: { value } }) => change({ workers: value })}
        />
      </label>
      <PriorityField value={values.priority} placeholder="0" change={(priority) => change({ priority })} />
    </fieldset>
  );
}
