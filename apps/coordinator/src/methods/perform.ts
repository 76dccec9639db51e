import { epochsWithin, type Outcome, type Perform, type Request } from '@nesgd/core/baselines';
import type { AlphaTraining, Job } from '@nesgd/core/protocol';
import type { RunFolder, TrainedFact } from '@nesgd/core/run';
import { type Budget, budgetOf } from '../budget.js';
import type { Conduct } from '../conduct-run.js';
import { endsTrainers, reasonOf } from '../evaluate.js';
import { jobsOf } from '../jobs.js';
import { dispatchKeeping } from './kept-weights.js';

export interface JournalledPerformOptions {
  /** What a request leaves open: batch size, schedule, and so on. */
  readonly settings: AlphaTraining;
  /** Of the method, as many as are expected, for those who watch. */
  readonly rounds: number;
  /** Requests that each of them makes, one after the other. */
  readonly requestsARound?: number;
}

/**
 * The rivals' `Perform` port on top of journal and workers. Requests answered before in this run answer from the
 * journal, the others become jobs, and each result is in the journal before the method hears of it. Weights that a job
 * stored are in the run's artifacts by then, so they outlive the cache.
 *
 * A training that every trainer died of is given up: a fact as well, and an outcome as of one that diverged. Not so where
 * none of the run was measured yet (then it is the machines that are at fault), nor for a recombination, which trains nothing.
 *
 * A budget is shared out by what earlier rounds spent: how far the current one has come depends on the workers.
 */
export function journalledPerform(conduct: Conduct, options: JournalledPerformOptions): Perform {
  const { run, watch } = conduct;
  const { settings, rounds, requestsARound = 1 } = options;
  const budget = budgetOf(run, conduct.trainImages, settings);
  let round = 0;
  /** Images of the trainings given up, of earlier rounds: charged as if they had been, or a budget might never end. */
  let lost = 0;

  return async (requests) => {
    round += 1;
    const facts = trainedFacts(conduct);
    const epochs = shareOut(requests, budget, spentBefore(round, facts) + lost);
    const affordable = requests.filter((_, i) => epochs[i] !== 0);
    const missing = affordable.filter(({ id }) => !facts.has(id));
    const phase = { name: 'generation', t: Math.ceil(round / requestsARound), of: rounds } as const;
    watch({ type: 'phase', phase, total: missing.length, answered: affordable.length - missing.length });

    const failures = await failuresAmong(missing, async (request) => {
      const job = jobFor(run, settings, request, epochs[requests.indexOf(request)] ?? 0);
      facts.set(request.id, await perform(conduct, request, round, job));
    });
    const measuredAny = [...facts.values()].some((fact) => !fact.failed);
    const fatal = failures.find(
      ({ request, error }) =>
        !measuredAny || conduct.signal.aborted || request.kind !== 'train' || !endsTrainers(error),
    );
    if (fatal) throw fatal.error;
    for (const { request, error } of failures) {
      facts.set(request.id, await giveUp(conduct, request, round, reasonOf(error)));
    }
    for (const [i, { id }] of requests.entries()) {
      if (facts.get(id)?.failed) lost += imagesOf(requests[i]!, epochs[i] ?? 0, budget);
    }
    return requests.map((request): Outcome | undefined => {
      const fact = affordable.includes(request) ? facts.get(request.id) : undefined;
      return fact && { accuracy: fact.accuracy, weights: fact.weights };
    });
  };
}

function jobFor({ opened }: RunFolder, settings: AlphaTraining, request: Request, epochs: number): Job {
  const jobs = jobsOf(opened);
  if (request.kind === 'recombine') {
    const { parents, noise, id: stream } = request;
    return jobs.recombine({ parents: [...parents], noise, stream });
  }
  const { weights, initialOf: initialStream, hyperparameters, schedule, keepWeightsAbove, id: stream } = request;
  const training: AlphaTraining = { ...settings, ...hyperparameters, epochs };
  if (schedule === 'constant') {
    training.schedule = 'constant';
    // A piece of a longer training ends where the next one begins.
    delete training.averageLast;
  }
  return jobs.train({ weights, training, stream, ...(initialStream && { initialStream }), keepWeightsAbove });
}

/** Waits for all, so that what the others gave is in the journal, where a resume will find it. */
async function failuresAmong(requests: readonly Request[], each: (request: Request) => Promise<void>) {
  const settled = await Promise.allSettled(requests.map(each));
  return settled.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [{ request: requests[i]!, error: outcome.reason as unknown }] : [],
  );
}

async function giveUp({ run, watch }: Conduct, { id }: Request, round: number, reason: string): Promise<TrainedFact> {
  const nothing = { accuracy: 0, curve: [], weights: null, imagesTrained: 0 };
  const fact: TrainedFact = { type: 'trained', round, id, failed: true, ...nothing };
  await run.journal.append(fact, { reason });
  watch({ type: 'notice', text: `training ${id} is given up and counts as the worst: ${reason}` });
  return fact;
}

async function perform(conduct: Conduct, request: Request, round: number, job: Job): Promise<TrainedFact> {
  const { run, cache, watch, signal } = conduct;
  const starts = request.kind === 'recombine' ? request.parents : request.weights ? [request.weights] : [];
  for (const weights of starts) {
    if (await run.artifacts.has(weights)) await run.artifacts.copyTo(cache.blobs, weights);
  }
  const label = { id: request.id, text: request.id };
  const { result, provenance } = await dispatchKeeping(conduct, job, {
    onStart: (worker) => watch({ type: 'job-started', job: label, worker }),
    onProgress: (worker, progress) => watch({ type: 'job-progress', job: label, worker, progress }),
    onRetry: (reason) => watch({ type: 'job-retried', job: label, reason }),
    signal,
  });
  const fact: TrainedFact = { type: 'trained', round, id: request.id, ...result };
  await run.journal.append(fact, { provenance });
  const { accuracy } = result;
  watch({ type: 'job-done', job: label, worker: provenance.worker, accuracy, seconds: provenance.seconds });
  return fact;
}

export function trainedFacts({ run }: Pick<Conduct, 'run'>): Map<string, TrainedFact> {
  const facts = new Map<string, TrainedFact>();
  for (const { fact } of run.journal.lines) if (fact.type === 'trained') facts.set(fact.id, fact);
  return facts;
}

function spentBefore(round: number, facts: ReadonlyMap<string, TrainedFact>): number {
  let images = 0;
  for (const fact of facts.values()) if (fact.round < round) images += fact.imagesTrained;
  return images;
}

/** A piece of a longer training is not averaged, so nothing is set aside for an average's statistics. */
function imagesOf(request: Request, epochs: number, budget: Budget | undefined): number {
  if (!budget || request.kind === 'recombine') return 0;
  return request.schedule === 'whole'
    ? budget.imagesOf(epochs)
    : budget.imagesOfPart({ from: 0, until: epochs, epochs: Number.POSITIVE_INFINITY });
}

/** Epochs of each request; undefined for one that trains nothing. */
function shareOut(requests: readonly Request[], budget: Budget | undefined, spent: number): (number | undefined)[] {
  const wanted = requests.map((request) => (request.kind === 'train' ? request.epochs : 0));
  const left = budget ? budget.images - budget.alphaImages - spent : Number.POSITIVE_INFINITY;
  const given = epochsWithin(wanted, left, (epochs, i) => imagesOf(requests[i]!, epochs, budget));
  return requests.map(({ kind }, i) => (kind === 'train' ? given[i] : undefined));
}
