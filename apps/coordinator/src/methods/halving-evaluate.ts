import { epochsWithin } from '@nesgd/core/baselines';
import { rungsOf, successiveHalving } from '@nesgd/core/evolution';
import type { EvaluateJob } from '@nesgd/core/protocol';
import { type EvaluatedFact, type Experiment, type Journal, type RungFact, retrainingOf } from '@nesgd/core/run';
import {
  evaluationKey,
  imagesLeft,
  type JournalledEvaluateOptions,
  maskOf,
  measureAll,
  type Question,
} from '../evaluate.js';

/** One that trains from rung to rung. */
interface Contender {
  readonly key: string;
  readonly parts: RungFact[];
  /** The budget did not last for the whole of its last part. */
  cutShort: boolean;
}

/**
 * Successive halving among the new individuals of a generation, each part of a training a job and a fact. Whoever goes no
 * further becomes a fact `evaluated` with the accuracy of its rung; a later generation that asks for its genome again gets that.
 *
 * With a budget, contenders get their epochs in the order in which they are ranked, from what the rungs before left.
 * @param forget throws the state of a training away with which nobody goes on.
 */
export function inRungs(experiment: Experiment, forget: (job: EvaluateJob) => Promise<void>) {
  const { epochs } = retrainingOf(experiment);
  const { firstEpochs, eta } = experiment.evolution.successiveHalving!;
  const rungs = rungsOf(firstEpochs, eta, epochs);

  return async (options: JournalledEvaluateOptions, question: Question): Promise<void> => {
    const { wanted, repeat, known, before, keepWeightsAbove } = question;
    const there = rungFacts(options.journal);
    const contenders = wanted.map((key): Contender => ({ key, parts: [], cutShort: false }));
    let left = imagesLeft(options.budget, before) - imagesOfGivenUp(there, before);

    await successiveHalving(contenders, { rungs, eta }, async (those, rung) => {
      const from = doneBy(those[0]!);
      const imagesOf = (n: number) => options.budget?.imagesOfPart({ from, until: from + n, epochs }) ?? 0;
      const given = epochsWithin(
        those.map(() => rung - from),
        left,
        imagesOf,
      );
      const affordable = those.flatMap((contender, i) => {
        contender.cutShort = given[i]! < rung - from;
        const until = from + given[i]!;
        return until > from ? [{ key: contender.key, contender, until }] : [];
      });
      const missing = affordable.filter(({ key }) => !there.has(`${key}/${from}`) && known.get(key)?.type !== 'failed');
      await measureAll(options, question, missing, async ({ key, until }) => {
        const part = { from, until };
        const job = options.makeJob({ mask: maskOf(key), repeat, epochs, keepWeightsAbove, part });
        there.set(`${key}/${from}`, await measurePart(options, job, part));
      });
      for (const { key, contender } of affordable) {
        const part = there.get(`${key}/${from}`);
        if (!part) continue; // Given up.
        contender.parts.push(part);
        left -= part.imagesTrained;
      }
      return those.map((contender) => (canGoOn(contender) ? contender.parts.at(-1)!.accuracy : undefined));

      function canGoOn({ key, parts, cutShort }: Contender): boolean {
        return !cutShort && known.get(key)?.type !== 'failed' && parts.at(-1)?.curve.at(-1)?.trainLoss !== null;
      }
    });

    for (const contender of contenders) {
      if (known.has(contender.key) || contender.parts.length === 0) continue;
      const fact = whole(contender, epochs);
      await options.journal.append(fact);
      known.set(contender.key, fact);
      const { mask } = fact;
      if (fact.epochsGiven) await forget(options.makeJob({ mask, repeat, epochs, keepWeightsAbove, part: PART }));
    }
  };
}

/** Any: the parts of a training have one name. */
const PART = { from: 0, until: 1 };

const doneBy = ({ parts }: Contender): number => parts.at(-1)?.until ?? 0;

async function measurePart(
  { journal, dispatcher, alpha, watch, signal }: JournalledEvaluateOptions,
  job: EvaluateJob,
  { from, until }: { from: number; until: number },
): Promise<RungFact> {
  const { mask, repeat } = job;
  const label = { id: evaluationKey(mask, repeat), text: mask };
  const { result, provenance } = await dispatcher.dispatch(job, {
    onStart: (worker) => watch({ type: 'job-started', job: label, worker }),
    onProgress: (worker, progress) => watch({ type: 'job-progress', job: label, worker, progress }),
    onRetry: (reason) => watch({ type: 'job-retried', job: label, reason }),
    signal,
  });
  const fact: RungFact = {
    type: 'rung',
    mask,
    repeat,
    ...(job.alpha !== alpha && { base: job.alpha }),
    from,
    until,
    ...result,
  };
  await journal.append(fact, { provenance });
  const { accuracy } = result;
  watch({ type: 'job-done', job: label, worker: provenance.worker, accuracy, seconds: provenance.seconds });
  return fact;
}

/** All parts of a training in one. */
function whole({ parts }: Contender, epochs: number): EvaluatedFact {
  const { mask, repeat, base, accuracy, weights } = parts.at(-1)!;
  const curve = parts.flatMap((part) => part.curve);
  return {
    type: 'evaluated',
    mask,
    repeat,
    ...(base !== undefined && { base }),
    ...(curve.length < epochs && { epochsGiven: epochs }),
    accuracy,
    curve,
    weights,
    imagesTrained: parts.reduce((sum, { imagesTrained }) => sum + imagesTrained, 0),
  };
}

/** What those that were given up in earlier generations had trained on, as far as it was measured. */
function imagesOfGivenUp(rungs: ReadonlyMap<string, RungFact>, before: Question['before']): number {
  let images = 0;
  for (const { mask, repeat, imagesTrained } of rungs.values()) {
    if (before.get(evaluationKey(mask, repeat))?.type === 'failed') images += imagesTrained;
  }
  return images;
}

/** By individual and where the part begins. */
function rungFacts(journal: Pick<Journal, 'lines'>): Map<string, RungFact> {
  const facts = new Map<string, RungFact>();
  for (const { fact } of journal.lines) {
    if (fact.type === 'rung') facts.set(`${evaluationKey(fact.mask, fact.repeat)}/${fact.from}`, fact);
  }
  return facts;
}
