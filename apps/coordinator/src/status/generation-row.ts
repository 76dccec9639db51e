import { InputError } from '@nesgd/core/errors';
import type { GenerationFact, JournalLine, OpenedFact } from '@nesgd/core/run';
import { z } from 'zod';

/** One generation in figures; accuracies in [0, 1] on the split that is fitness. */
export interface GenerationRow {
  readonly t: number;
  /** Best of all individuals up to and with this generation. */
  readonly best: number;
  /** Median of the survivors. */
  readonly median: number;
  /** max - min of the survivors. */
  readonly nabla: number;
  readonly suppressed: number;
  /** Individuals retrained in this generation, and those whose accuracy was known. */
  readonly evaluated: number;
  readonly cacheHits: number;
}

const individual = z.object({ mask: z.array(z.union([z.literal(0), z.literal(1)])).min(1), fitness: z.number() });

/** What is read of a closed generation; `Generation` of the algorithm has it, and more. */
const closedGeneration = z.object({
  parents: z.array(individual).min(1),
  best: individual,
  nabla: z.number(),
  suppressed: z.array(z.int()),
  offspring: z.array(individual),
});
export type ClosedGeneration = z.infer<typeof closedGeneration>;

/** @throws InputError naming the journal's line where the fact is no closed generation. */
export function closedGenerationOf(fact: GenerationFact, where: string): ClosedGeneration {
  const parsed = closedGeneration.safeParse(fact);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    'JOURNAL',
    `${where}: generation ${fact.t} is not as this version writes it: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/**
 * The closed generations of a journal, in order.
 * @param journalPath for messages.
 * @throws InputError naming the line that is damaged.
 */
export function generationRows(
  lines: readonly JournalLine[],
  opened: OpenedFact,
  journalPath: string,
): GenerationRow[] {
  const rows: GenerationRow[] = [];
  let evaluated = 0;
  for (const { fact, seq } of lines) {
    // An individual's fact stands before that of the generation it was measured for.
    if (fact.type === 'evaluated') evaluated += 1;
    if (fact.type !== 'generation') continue;
    const { parents, best, nabla, suppressed, offspring } = closedGenerationOf(fact, `${journalPath}, line ${seq + 1}`);
    const asked =
      fact.t === 0 ? parents.length : offspring.length + (measuredAnew(fact.t, opened) ? parents.length : 0);
    rows.push({
      t: fact.t,
      best: best.fitness,
      median: median(parents.map(({ fitness }) => fitness)),
      nabla,
      suppressed: suppressed.length,
      evaluated,
      cacheHits: asked - evaluated,
    });
    evaluated = 0;
  }
  return rows;
}

/** Survivors are measured again from the second generation on, where the experiment wants it. */
function measuredAnew(t: number, { experiment }: OpenedFact): boolean {
  return experiment.evolution.reevaluateSurvivors && t > 1;
}

/** @param values at least one. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
