import { useEffect, useId, useState } from 'preact/hooks';

interface PriorityFormProps {
  readonly priority: number;
  readonly disabled: boolean;
  readonly onChange: (priority: number) => void;
}

/** The place of a run among those that share its workers. */
export function PriorityForm({ priority, disabled, onChange }: PriorityFormProps) {
  const [text, setText] = useState(String(priority));
  const hint = useId();
  useEffect(() => setText(String(priority)), [priority]);
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(Number(text));
      }}
    >
      <label>
        Priority{' '}
        <input
          type="number"
          min={-100}
          max={100}
          step={1}
          required
          value={text}
          aria-describedby={hint}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>{' '}
      <button type="submit" disabled={disabled || text === String(priority)}>
        Set priority
      </button>
      <small id={hint} class="faint">
        −100 to 100; of runs that share workers the higher goes first
      </small>
    </form>
  );
}
