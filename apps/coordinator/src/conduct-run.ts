import { searchesMasks, usesAlpha } from '@nesgd/core/methods';
import type {
  AlphaFact,
  Dispatcher,
  EvaluatedFact,
  FinishedFact,
  RunFolder,
  TestedFact,
  TrainedFact,
} from '@nesgd/core/run';
import type { CacheFolder } from '@nesgd/core/storage';
import { obtainAlpha } from './alpha.js';
import { expectedAndMeasured } from './expectation.js';
import { jobsOf } from './jobs.js';
import type { Found } from './methods/found.js';
import { runRival } from './methods/run-rival.js';
import { searchMasks } from './methods/search-masks.js';
import type { RunSummary, Watch } from './run-events.js';
import { verdictOn } from './verdict.js';

export interface Conduct {
  readonly run: RunFolder;
  readonly dispatcher: Dispatcher;
  readonly cache: CacheFolder;
  /** Training images of one epoch. */
  readonly trainImages: number;
  readonly watch: Watch;
  readonly signal: AbortSignal;
}

/**
 * Takes a run from wherever its journal stands to its end: alpha, the search, the test set, the result.
 * Each step first asks the journal whether it has been done, so starting and resuming are one path.
 */
export async function conductRun(conduct: Conduct): Promise<FinishedFact> {
  const { name } = conduct.run.opened.experiment.method;
  const alpha = usesAlpha(name) ? await obtainAlpha(conduct) : null;
  const found = alpha && searchesMasks(name) ? await searchMasks(conduct, alpha) : await runRival(conduct, alpha);
  return finish(conduct, alpha, found);
}

/** The winner and alpha meet the test set, once; the winner's network is written. */
async function finish(conduct: Conduct, alpha: AlphaFact | null, found: Found): Promise<FinishedFact> {
  const { run, watch } = conduct;
  const facts = run.journal.lines.map((line) => line.fact);
  const already = facts.find((fact) => fact.type === 'finished');
  if (already) return already;

  const weights = await found.weights();
  watch({ type: 'phase', phase: { name: 'test' }, total: alpha ? 2 : 1, answered: 0 });
  const [alphaTest, bestTest] = await Promise.all([
    alpha && testOnce(conduct, 'alpha', alpha.weights),
    testOnce(conduct, 'best', weights),
  ]);

  const { mask, accuracy, closed, evaluations, done } = found;
  const trained = facts.filter(
    ({ type }) => type === 'alpha' || type === 'evaluated' || type === 'trained',
  ) as Trained[];
  const fact: FinishedFact = {
    type: 'finished',
    best: { mask, accuracy, testAccuracy: bestTest.accuracy, weights },
    alpha: alpha && alphaTest && { accuracy: alpha.accuracy, testAccuracy: alphaTest.accuracy },
    generations: closed,
    evaluations,
    cacheHits: evaluations - done,
    epochsTrained: trained.reduce((sum, { curve }) => sum + curve.length, 0),
    imagesTrained: trained.reduce((sum, { imagesTrained }) => sum + imagesTrained, 0),
  };
  await run.artifacts.linkAs(weights, `${run.path}/best.safetensors`);
  if (alpha) await run.artifacts.linkAs(alpha.weights, `${run.path}/alpha.safetensors`);
  await run.journal.append(fact);
  return fact;
}

type Trained = AlphaFact | EvaluatedFact | TrainedFact;

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
  const facts = run.journal.lines.map((line) => line.fact);
  const alpha = facts.find((fact) => fact.type === 'alpha');
  return {
    runId: run.id,
    dataset: experiment.dataset.name,
    model: experiment.model.name,
    engine: runtime.engine,
    workers: workers || workersIn(run),
    method: experiment.method.name,
    alpha: finished.alpha && {
      validationAccuracy: validation(finished.alpha.accuracy),
      testAccuracy: finished.alpha.testAccuracy,
      epochs: alpha?.curve.length ?? 0,
    },
    best: {
      mask: finished.best.mask,
      validationAccuracy: validation(finished.best.accuracy),
      testAccuracy: finished.best.testAccuracy,
    },
    verdict: verdictOn(finished, experiment.method.name),
    expectation: expectedAndMeasured(experiment.expectation, facts),
    generations: finished.generations,
    evaluations: finished.evaluations,
    cacheHits: finished.cacheHits,
    epochsTrained: finished.epochsTrained,
    imagesTrained: finished.imagesTrained,
    seconds: Math.round(seconds * 10) / 10,
  };
}

function workersIn(run: RunFolder): number {
  return new Set(run.journal.lines.flatMap(({ meta }) => meta.provenance?.worker ?? [])).size;
}
