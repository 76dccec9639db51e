import { capitalised } from '../model/method-words.js';

interface GenerationChoiceProps {
  /** What the method calls them. */
  readonly round: string;
  readonly generations: readonly { readonly t: number }[];
  /** undefined: the last closed one. */
  readonly chosen: number | undefined;
  readonly choose: (t: number | undefined) => void;
}

export function GenerationChoice({ round, generations, chosen, choose }: GenerationChoiceProps) {
  return (
    <label>
      {capitalised(round)}{' '}
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
