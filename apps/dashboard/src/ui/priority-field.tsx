interface PriorityFieldProps {
  readonly value: string;
  readonly change: (value: string) => void;
  readonly required?: boolean;
  /** What holds where it is left empty. */
  readonly placeholder?: string;
  /** Id of an explanation beside it. */
  readonly describedBy?: string;
}

/** The place of a run among those that share its workers, as typed; the browser says what is wrong with it. */
export function PriorityField({ value, change, required, placeholder, describedBy }: PriorityFieldProps) {
  return (
    <label>
      Priority{' '}
      <input
        type="number"
        min={-100}
        max={100}
        step={1}
        required={required}
        value={value}
        placeholder={placeholder}
        aria-describedby={describedBy}
        onInput={(event) => change(event.currentTarget.value)}
      />
    </label>
  );
}
