import type { JournalLine, OpenedFact } from '@nesgd/core/run';

/** A retraining takes from seconds (a toy) to days (ImageNet). */
export const EVALUATION_SECONDS = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];

/** What of a journal counts without its lines. A plain value: it goes from thread to thread. */
export interface JournalFigures {
  readonly opened: OpenedFact | null;
  /** How the run ended, if it did. */
  readonly outcome: 'finished' | 'diverged' | null;
  /** Individuals retrained and measured, and those given up. */
  readonly evaluated: number;
  readonly failed: number;
  /** Training images seen, alpha's among them. */
  readonly imagesTrained: number;
  /** Of the last closed generation. */
  readonly nabla: number | null;
  /** How many evaluations took up to `EVALUATION_SECONDS[i]` and longer than the bound before it; the last: longer. */
  readonly secondsCounts: readonly number[];
  readonly secondsSum: number;
}

export const NO_FIGURES: JournalFigures = {
  opened: null,
  outcome: null,
  evaluated: 0,
  failed: 0,
  imagesTrained: 0,
  nabla: null,
  secondsCounts: [...EVALUATION_SECONDS, 0].map(() => 0),
  secondsSum: 0,
};

/** The figures of a journal with these lines behind those that it has. */
export function withLines(before: JournalFigures, lines: readonly JournalLine[]): JournalFigures {
  const secondsCounts = [...before.secondsCounts];
  let { opened, outcome, evaluated, failed, imagesTrained, nabla, secondsSum } = before;
  for (const { fact, meta } of lines) {
    if (fact.type === 'opened') opened = fact;
    else if (fact.type === 'finished' || fact.type === 'diverged') outcome = fact.type;
    else if (fact.type === 'generation') nabla = fact.nabla;
    else if (fact.type === 'failed') failed += 1;
    if (fact.type === 'alpha' || fact.type === 'evaluated' || fact.type === 'trained')
      imagesTrained += fact.imagesTrained;
    if (fact.type !== 'evaluated' && fact.type !== 'trained') continue;
    evaluated += 1;
    const seconds = meta.provenance?.seconds;
    if (seconds === undefined) continue;
    const bound = EVALUATION_SECONDS.findIndex((longest) => seconds <= longest);
    const bucket = bound < 0 ? EVALUATION_SECONDS.length : bound;
    secondsCounts[bucket] = (secondsCounts[bucket] ?? 0) + 1;
    secondsSum += seconds;
  }
  return { opened, outcome, evaluated, failed, imagesTrained, nabla, secondsCounts, secondsSum };
}
