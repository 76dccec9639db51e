import { useEffect, useId, useState } from 'preact/hooks';
import { PriorityField } from '../ui/priority-field.js';

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
      <PriorityField required value={text} change={setText} describedBy={hint} />{' '}
      <button type="submit" disabled={disabled || text === String(priority)}>
        Set priority
      </button>
      <small id={hint} class="faint">
        −100 to 100; of runs that share workers the higher goes first
      </small>
    </form>
  );
}
