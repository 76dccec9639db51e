import type { JournalLine, OpenedFact } from '@nesgd/core/run';

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

/** The closed generations of a journal, or the steps of a rival method, in order. */
export function generationRows(lines: readonly JournalLine[], opened: OpenedFact): GenerationRow[] {
  const rows: GenerationRow[] = [];
  let evaluated = 0;
  for (const { fact } of lines) {
    // An individual's fact stands before that of the generation it was measured for.
    if (fact.type === 'evaluated' || fact.type === 'trained') evaluated += 1;
    if (fact.type === 'step' && fact.population.length > 0) {
      const accuracies = fact.population.map(({ accuracy }) => accuracy);
      rows.push({
        t: fact.t,
        best: fact.best?.accuracy ?? 0,
        median: median(accuracies),
        nabla: Math.max(...accuracies) - Math.min(...accuracies),
        suppressed: 0,
        evaluated,
        cacheHits: 0,
      });
      evaluated = 0;
    }
    if (fact.type !== 'generation') continue;
    const { parents, best, nabla, suppressed, offspring } = fact;
    const asked =
      fact.t === 0 ? parents.length : offspring.length + (measuredAnew(fact.t, opened) ? parents.length : 0);
    rows.push({
      t: fact.t,
      best: best.fitness,
      median: median(parents.map(({ fitness }) => fitness)),
      nabla,
      suppressed: suppressed.length,
      evaluated,
      // In a steady state the next generation's first results stand before this one's end.
      cacheHits: Math.max(0, asked - evaluated),
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
