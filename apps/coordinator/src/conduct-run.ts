import { InputError, NesgdError } from '@nesgd/core/errors';
import { type Generation, maskToString, type NeSgdParams, neSgd } from '@nesgd/core/evolution';
import type { AlphaFact, Dispatcher, EvaluatedFact, FinishedFact, RunFolder, TestedFact } from '@nesgd/core/run';
import type { CacheFolder } from '@nesgd/core/storage';
import { obtainAlpha } from './alpha.js';
import { answersIn, evaluatedFacts, journalledEvaluate } from './evaluate.js';
import { jobsOf } from './jobs.js';
import type { RunSummary, Watch } from './run-events.js';

export interface Conduct {
  readonly run: RunFolder;
  readonly dispatcher: Dispatcher;
  readonly cache: CacheFolder;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/**
 * Takes a run from wherever its journal stands to its end: alpha, the search, the test set, the result.
 * Each step first asks the journal whether it has been done, so starting and resuming are one path.
 */
export async function conductRun(conduct: Conduct): Promise<FinishedFact> {
  const alpha = await obtainAlpha(conduct);
  const last = await search(conduct, alpha);
  return finish(conduct, alpha, last);
}

/** Algorithm 1, every closed generation a fact. @returns the last generation. */
async function search(conduct: Conduct, alpha: AlphaFact): Promise<Generation> {
  const { run, dispatcher, watch, signal } = conduct;
  const { experiment, blocks } = run.opened;
  const params: NeSgdParams = { seed: experiment.seed, genomeLength: blocks.length, ...experiment.evolution };
  const jobs = jobsOf(run.opened);
  const evaluate = journalledEvaluate({
    journal: run.journal,
    dispatcher,
    makeJob: (individual) => jobs.evaluate({ alpha: alpha.weights, ...individual }),
    generations: params.generations,
    watch,
    signal,
  });

  let last = lastGeneration(run);
  for await (const generation of neSgd(params, evaluate, last)) {
    await run.journal.append({ type: 'generation', ...generation });
    last = generation;
    await keepLeader(conduct, generation);
    watch({
      type: 'generation-closed',
      t: generation.t,
      bestAccuracy: generation.best.fitness,
      bestMask: maskToString(generation.best.mask),
      nabla: generation.nabla,
      suppressed: generation.suppressed.length,
    });
  }
  if (!last) throw new Error('the algorithm closed no generation');
  return last;
}

function lastGeneration(run: RunFolder): Generation | undefined {
  const fact = run.journal.lines.map((line) => line.fact).findLast((f) => f.type === 'generation');
  if (!fact) return undefined;
  const { type: _, ...generation } = fact;
  return generation;
}

/** The leader's weights move to the run's artifacts; those it has outdone leave the cache. */
async function keepLeader({ run, cache }: Conduct, generation: Generation): Promise<void> {
  const leader = factOf(run, generation);
  for (const fact of evaluatedFacts(run.journal)) {
    if (!fact.weights || fact.weights === leader.weights) continue;
    await run.artifacts.delete(fact.weights);
    await cache.blobs.delete(fact.weights);
  }
  if (!leader.weights) return;
  await cache.blobs.copyTo(run.artifacts, leader.weights).catch((error) => {
    // Another run of this experiment outdid the same weights and threw them away; `winnersWeights` trains them again.
    if (!(error instanceof NesgdError && error.code === 'BLOB_MISSING')) throw error;
  });
}

function factOf(run: RunFolder, generation: Generation): EvaluatedFact {
  const mask = maskToString(generation.best.mask);
  const facts = evaluatedFacts(run.journal).filter((f) => f.mask === mask && f.accuracy === generation.best.fitness);
  const [fact] = facts;
  if (!fact && generation.best.fitness === 0) {
    // An individual that was given up comes first among equals only where nobody did better than 0.
    throw new NesgdError(
      'ALL_DIVERGED',
      'no individual of this run got a single image right: there is nothing to choose from',
    );
  }
  if (!fact)
    throw new InputError(
      'JOURNAL',
      `${run.journal.path}: the best individual ${mask} of generation ${generation.t} has no evaluation`,
    );
  return fact;
}

/** The winner and alpha meet the test set, once; the winner's network is written. */
async function finish(conduct: Conduct, alpha: AlphaFact, last: Generation): Promise<FinishedFact> {
  const { run, watch } = conduct;
  const facts = run.journal.lines.map((line) => line.fact);
  const already = facts.find((fact) => fact.type === 'finished');
  if (already) return already;

  const winner = factOf(run, last);
  const weights = await winnersWeights(conduct, alpha, winner);
  watch({ type: 'phase', phase: { name: 'test' }, total: 2, answered: 0 });
  const [alphaTest, bestTest] = await Promise.all([
    testOnce(conduct, 'alpha', alpha.weights),
    testOnce(conduct, 'best', weights),
  ]);

  const evaluated = evaluatedFacts(run.journal);
  const { populationSize: m, generations: T, reevaluateSurvivors } = run.opened.experiment.evolution;
  const evaluations = m * (T + 1) + (reevaluateSurvivors ? m * Math.max(0, T - 1) : 0);
  const trained = [alpha, ...evaluated];
  const fact: FinishedFact = {
    type: 'finished',
    best: { mask: winner.mask, accuracy: winner.accuracy, testAccuracy: bestTest.accuracy, weights },
    alpha: { accuracy: alpha.accuracy, testAccuracy: alphaTest.accuracy },
    generations: last.t,
    evaluations,
    cacheHits: evaluations - answersIn(run.journal).size,
    epochsTrained: trained.reduce((sum, { curve }) => sum + curve.length, 0),
    imagesTrained: trained.reduce((sum, { imagesTrained }) => sum + imagesTrained, 0),
  };
  await run.artifacts.linkAs(weights, `${run.path}/best.safetensors`);
  await run.artifacts.linkAs(alpha.weights, `${run.path}/alpha.safetensors`);
  await run.journal.append(fact);
  return fact;
}

/** Trains the winner again, to the same bits, in the rare case that its weights were lost with a cache folder. */
async function winnersWeights(conduct: Conduct, alpha: AlphaFact, winner: EvaluatedFact): Promise<string> {
  const { run, cache, dispatcher, signal } = conduct;
  if (winner.weights && (await run.artifacts.has(winner.weights))) {
    await run.artifacts.copyTo(cache.blobs, winner.weights);
    return winner.weights;
  }
  if (winner.curve.at(-1)?.trainLoss === null) {
    // The fittest of all stores no weights only where training it led nowhere, so the others did no better.
    const { learningRateReinitialised } = run.opened.experiment.retrain;
    throw new NesgdError(
      'ALL_DIVERGED',
      `every individual's loss stopped being a number, so there is no network to keep: start a new run with a retrain.learningRateReinitialised below ${learningRateReinitialised}`,
    );
  }
  const job = jobsOf(run.opened).evaluate({
    alpha: alpha.weights,
    mask: winner.mask,
    repeat: winner.repeat,
    keepWeightsAbove: null,
  });
  const { result } = await dispatcher.dispatch(job, { signal });
  if (result.accuracy !== winner.accuracy || !result.weights) {
    throw new NesgdError(
      'NOT_REPRODUCED',
      `the winner ${winner.mask} was measured at ${winner.accuracy}, its weights were lost, and training it again gave ${result.accuracy}: the run went on with another engine, processor or version`,
    );
  }
  await cache.blobs.copyTo(run.artifacts, result.weights);
  return result.weights;
}

async function testOnce(
  { run, dispatcher, watch, signal }: Conduct,
  which: 'alpha' | 'best',
  weights: string,
): Promise<TestedFact> {
  const facts = run.journal.lines.map((line) => line.fact);
  const already = facts.find((fact) => fact.type === 'tested' && fact.which === which) as TestedFact | undefined;
  if (already) return already;
  const job = { id: `test-${which}`, text: `test of ${which}` };
  const { result, provenance } = await dispatcher.dispatch(jobsOf(run.opened).test(weights), {
    onStart: (worker) => watch({ type: 'job-started', job, worker }),
    onRetry: (reason) => watch({ type: 'job-retried', job, reason }),
    signal,
  });
  const fact: TestedFact = { type: 'tested', which, weights, accuracy: result.accuracy };
  await run.journal.append(fact, { provenance });
  watch({ type: 'job-done', job, worker: provenance.worker, accuracy: result.accuracy, seconds: provenance.seconds });
  return fact;
}

/** @param workers those started here; where there were none, those that did the jobs are counted. */
export function summarise(run: RunFolder, finished: FinishedFact, workers: number, seconds: number): RunSummary {
  const { experiment, runtime } = run.opened;
  const validation = (accuracy: number) => (experiment.fitness === 'validation' ? accuracy : null);
  const alpha = run.journal.lines.map((line) => line.fact).find((fact) => fact.type === 'alpha');
  return {
    runId: run.id,
    dataset: experiment.dataset.name,
    model: experiment.model.name,
    engine: runtime.engine,
    workers: workers || workersIn(run),
    alpha: {
      validationAccuracy: validation(finished.alpha.accuracy),
      testAccuracy: finished.alpha.testAccuracy,
      epochs: alpha?.curve.length ?? 0,
    },
    best: {
      mask: finished.best.mask,
      validationAccuracy: validation(finished.best.accuracy),
      testAccuracy: finished.best.testAccuracy,
    },
    generations: finished.generations,
    evaluations: finished.evaluations,
    cacheHits: finished.cacheHits,
    epochsTrained: finished.epochsTrained,
    seconds: Math.round(seconds * 10) / 10,
  };
}

function workersIn(run: RunFolder): number {
  return new Set(run.journal.lines.flatMap(({ meta }) => meta.provenance?.worker ?? [])).size;
}
