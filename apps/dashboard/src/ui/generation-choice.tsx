import type { GenerationView } from '@nesgd/core/view';

interface GenerationChoiceProps {
  readonly generations: readonly GenerationView[];
  /** undefined: the last closed one. */
  readonly chosen: number | undefined;
  readonly choose: (t: number | undefined) => void;
}

export function GenerationChoice({ generations, chosen, choose }: GenerationChoiceProps) {
  return (
    <label>
      Generation{' '}
      <select
        value={chosen ?? 'last'}
        onChange={({ currentTarget: { value } }) => choose(value === 'last' ? undefined : Number(value))}
      >
        <option value="last">the last</option>
        {generations.map(({ t }) => (
          <option key={t} value={t}>
            {t}
          </option>
        ))}
      </select>
    </label>
  );
}
