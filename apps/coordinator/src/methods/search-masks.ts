import { randomMasks } from '@nesgd/core/baselines';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { type Generation, maskToString, type NeSgdParams, neSgd, steadyState } from '@nesgd/core/evolution';
import { type AlphaFact, type EvaluatedFact, type RunFolder, type RungFact, retrainingOf } from '@nesgd/core/run';
import { SnapshotStore, trainingKey } from '@nesgd/core/storage';
import { BudgetSpentError, budgetOf } from '../budget.js';
import type { Conduct } from '../conduct-run.js';
import { answersIn, evaluatedFacts, journalledEvaluate } from '../evaluate.js';
import { jobsOf } from '../jobs.js';
import { clusterBeside } from './cluster-beside.js';
import type { Found } from './found.js';
import { inRungs } from './halving-evaluate.js';
import { dispatchKeeping } from './kept-weights.js';
import { retrainingEpochs, stopRule } from './shorter-retraining.js';
import { journalledEvaluateOne } from './steady-evaluate.js';

/** Longer than any budget lasts: every generation trains something. */
const UNTIL_THE_BUDGET_ENDS = 2 ** 31;

/** Algorithm 1, or random masks in its place; every closed generation a fact. */
export async function searchMasks(conduct: Conduct, alpha: AlphaFact): Promise<Found> {
  const { run, dispatcher, watch, signal } = conduct;
  const { experiment, blocks } = run.opened;
  const budget = budgetOf(run, conduct.trainImages, retrainingOf(experiment));
  const params: NeSgdParams = {
    seed: experiment.seed,
    genomeLength: blocks.length,
    ...experiment.evolution,
    ...(budget && { generations: UNTIL_THE_BUDGET_ENDS }),
  };
  const jobs = jobsOf(run.opened);
  const { inherit, firstEpochs, successiveHalving } = experiment.evolution;
  const snapshots = new SnapshotStore(conduct.cache);
  let base = alpha.weights;
  const evaluate = journalledEvaluate({
    journal: run.journal,
    dispatcher,
    alpha: alpha.weights,
    makeJob: (individual) => jobs.evaluate({ alpha: base, ...individual, ...stopRule(run) }),
    epochs: (generation) => retrainingEpochs(experiment, generation),
    forgets: inherit === 'best' || firstEpochs !== undefined,
    ...(successiveHalving && { inRungs: inRungs(experiment, (job) => snapshots.clearAll(trainingKey(job))) }),
    generations: experiment.evolution.generations,
    ...(budget && { budget }),
    watch,
    signal,
  });

  let last = lastGeneration(run);
  base = await baseOf(conduct, alpha, last);
  const { steadyStateLag } = experiment.evolution;
  const isSteady = experiment.method.name === 'ne-sgd' && steadyStateLag !== undefined;
  const isRandom = experiment.method.name === 'random-masks';
  const generations = isSteady
    ? steadyState({ ...params, steadyStateLag }, journalledEvaluateOne(conduct, alpha, budget))
    : isRandom
      ? randomMasks(params, evaluate, last)
      : neSgd(params, evaluate, last, clusterBeside(signal));
  const closed = last?.t ?? -1;
  try {
    for await (const generation of generations) {
      if (generation.t <= closed) continue; // A steady state is replayed from its beginning.
      await run.journal.append({ type: 'generation', ...generation });
      last = generation;
      await keepLeader(conduct, factOf(run, generation));
      base = await baseOf(conduct, alpha, generation);
      watch({
        type: 'generation-closed',
        t: generation.t,
        bestAccuracy: generation.best.fitness,
        bestMask: maskToString(generation.best.mask),
        nabla: generation.nabla,
        suppressed: generation.suppressed.length,
      });
    }
  } catch (error) {
    if (!(error instanceof BudgetSpentError)) throw error;
  }
  const winner = leaderOf(run, last);
  await keepLeader(conduct, winner);
  const done = answersIn(run.journal).size;
  return {
    mask: winner.mask,
    accuracy: winner.accuracy,
    weights: () => winnersWeights(conduct, alpha, winner),
    closed: last ? last.t : 0,
    evaluations: budget ? Math.max(done, asked(run, last)) : asked(run, last),
    done,
  };
}

/**
 * What the next generation's masks are applied to. `inherit: best`: the most accurate network of the closed generations,
 * or alpha where none of them has reached it. The run's copy outlives an emptied cache.
 */
async function baseOf(conduct: Conduct, alpha: AlphaFact, last: Generation | undefined): Promise<string> {
  const { run } = conduct;
  if (run.opened.experiment.evolution.inherit === 'none' || !last) return alpha.weights;
  const leader = factOf(run, last);
  if (leader.weights === null || leader.accuracy <= alpha.accuracy) return alpha.weights;
  return winnersWeights(conduct, alpha, leader);
}

function asked(run: RunFolder, last: Generation | undefined): number {
  const { populationSize: m, reevaluateSurvivors } = run.opened.experiment.evolution;
  const survivorsAsWell = reevaluateSurvivors && run.opened.experiment.method.name === 'ne-sgd';
  return last ? m * (last.t + 1) + (survivorsAsWell ? m * Math.max(0, last.t - 1) : 0) : 0;
}

function lastGeneration(run: RunFolder): Generation | undefined {
  const fact = run.journal.lines.map((line) => line.fact).findLast((f) => f.type === 'generation');
  if (!fact) return undefined;
  const { type: _, ...generation } = fact;
  return generation;
}

/** The best of the last closed generation, or one measured after it where a budget ended the search in between. */
function leaderOf(run: RunFolder, last: Generation | undefined): EvaluatedFact {
  const closed = last && factOf(run, last);
  const byMask = (a: EvaluatedFact, b: EvaluatedFact) => b.accuracy - a.accuracy || (a.mask < b.mask ? -1 : 1);
  const [best] = evaluatedFacts(run.journal).sort(byMask);
  if (closed && (!best || best.accuracy <= closed.accuracy)) return closed;
  if (best) return best;
  throw new InputError(
    'BUDGET_TOO_SMALL',
    `budget ${run.opened.experiment.budget}: after alpha less than an epoch is left, so not one individual can be trained: give more, or a shorter alpha`,
  );
}

/** The leader's weights move to the run's artifacts; those it has outdone leave the cache. */
async function keepLeader({ run, cache }: Conduct, leader: EvaluatedFact): Promise<void> {
  for (const fact of trainedNetworks(run)) {
    if (!fact.weights || fact.weights === leader.weights) continue;
    // In a steady state the next leader may be there before the generation of this one is closed.
    if (fact.type === 'evaluated' && fact.accuracy > leader.accuracy) continue;
    await run.artifacts.delete(fact.weights);
    await cache.blobs.deleteUnlessShared(fact.weights);
  }
  if (!leader.weights) return;
  await cache.blobs.copyTo(run.artifacts, leader.weights).catch((error) => {
    // Another run of this experiment outdid the same weights and threw them away; `winnersWeights` trains them again.
    if (!(error instanceof NesgdError && error.code === 'BLOB_MISSING')) throw error;
  });
}

/** Those that an individual had at a rung, too: it may have gone on to others. */
function trainedNetworks({ journal }: RunFolder): readonly (EvaluatedFact | RungFact)[] {
  const rungs = journal.lines.flatMap(({ fact }) => (fact.type === 'rung' ? [fact] : []));
  return [...evaluatedFacts(journal), ...rungs];
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

/** Trains the winner again, to the same bits, in the rare case that its weights were lost with a cache folder. */
async function winnersWeights(conduct: Conduct, alpha: AlphaFact, winner: EvaluatedFact): Promise<string> {
  const { run, cache, signal } = conduct;
  if (winner.weights && (await run.artifacts.has(winner.weights))) {
    await run.artifacts.copyTo(cache.blobs, winner.weights);
    return winner.weights;
  }
  if (winner.curve.at(-1)?.trainLoss === null) {
    // The fittest of all stores no weights only where training it led nowhere, so the others did no better.
    const { learningRateReinitialised } = retrainingOf(run.opened.experiment);
    throw new NesgdError(
      'ALL_DIVERGED',
      `every individual's loss stopped being a number, so there is no network to keep: start a new run with a retrain.learningRateReinitialised below ${learningRateReinitialised}`,
    );
  }
  const job = jobsOf(run.opened).evaluate({
    alpha: winner.base ?? alpha.weights,
    mask: winner.mask,
    repeat: winner.repeat,
    keepWeightsAbove: null,
    // A budget's last training has fewer epochs than the others.
    epochs: winner.epochsGiven ?? winner.curve.length,
    // One that was ended early ends there again.
    ...(winner.epochsGiven !== undefined && { stopBelow: [{ epoch: winner.curve.length, accuracy: 1 }] }),
  });
  const { result } = await dispatchKeeping(conduct, job, { signal, anew: true });
  if (result.accuracy !== winner.accuracy || !result.weights) {
    throw new NesgdError(
      'NOT_REPRODUCED',
      `the winner ${winner.mask} was measured at ${winner.accuracy}, its weights were lost, and training it again gave ${result.accuracy}: the run went on with another engine, processor or version`,
    );
  }
  return result.weights;
}
