import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NesgdError } from '@nesgd/core/errors';
import { computedOn } from '@nesgd/core/machine';
import { type Job, type JobResult, jobResultSchema } from '@nesgd/core/protocol';
import { type AlphaFact, alphaTrainingOf } from '@nesgd/core/run';
import { type CacheFolder, keyOnProcessor, trainingKey, writeFileAtomically } from '@nesgd/core/storage';
import type { Conduct } from './conduct-run.js';
import { jobsOf } from './jobs.js';

/**
 * The alpha checkpoint of a run: from its journal; else the file that the experiment names; else one trained earlier
 * from the very same settings, data and runtime; else trained now. Afterwards the cache and the artifacts have its weights.
 */
export async function obtainAlpha(conduct: Conduct): Promise<AlphaFact> {
  const { run, cache } = conduct;
  const known = run.journal.lines.map((line) => line.fact).find((fact) => fact.type === 'alpha');
  if (known) conduct.watch({ type: 'alpha-reused', accuracy: known.accuracy });
  const fact = known ?? (await makeAlpha(conduct));
  // The cache may have been emptied since; the run's own copy brings the weights back.
  if (await run.artifacts.has(fact.weights)) await run.artifacts.copyTo(cache.blobs, fact.weights);
  else await cache.blobs.copyTo(run.artifacts, fact.weights);
  return fact;
}

async function makeAlpha(conduct: Conduct): Promise<AlphaFact> {
  const { run, cache, watch } = conduct;
  const { experiment } = run.opened;
  const { alpha } = experiment;
  const jobs = jobsOf(run.opened);

  if ('from' in alpha) {
    const weights = await cache.blobs.put(await readFile(alpha.from)); // Checked before the run was opened.
    return (await dispatchAlpha(conduct, jobs.measure(weights), weights)).fact;
  }

  const job = jobs.alpha(alphaTrainingOf(experiment));
  const { runId: _, ...dependsOn } = job;
  // By the kind of processor that trained it: another one's would have other bits.
  const recordOn = (processor: string | undefined) =>
    join(cache.alphas, `${keyOnProcessor(trainingKey(dependsOn), processor)}.json`);
  const earlier = await readRecord(recordOn(computedOn(job.runtime)), cache);
  if (earlier) {
    watch({ type: 'alpha-reused', accuracy: earlier.accuracy });
    const fact: AlphaFact = { type: 'alpha', ...earlier };
    await run.journal.append(fact, { reused: true });
    return fact;
  }
  const { fact, processor } = await dispatchAlpha(conduct, job);
  const { type: _type, ...result } = fact;
  await writeFileAtomically(recordOn(processor), JSON.stringify(result));
  return fact;
}

/** Has alpha trained (or, where `given` names its weights, measured) and writes the fact down. */
async function dispatchAlpha(
  conduct: Conduct,
  alphaJob: Job,
  given?: string,
): Promise<{ readonly fact: AlphaFact; readonly processor: string | undefined }> {
  const { run, dispatcher, watch, signal } = conduct;
  const job = { id: 'alpha', text: 'alpha' };
  watch({ type: 'phase', phase: { name: 'alpha' }, total: 1, answered: 0 });
  const { result, provenance } = await dispatcher.dispatch(alphaJob, {
    onStart: (worker) => watch({ type: 'job-started', job, worker }),
    onProgress: (worker, progress) => watch({ type: 'job-progress', job, worker, progress }),
    onRetry: (reason) => watch({ type: 'job-retried', job, reason }),
    signal,
  });
  const weights = given ?? result.weights;
  if (!weights) throw new NesgdError('PROTOCOL', `worker ${provenance.worker} trained alpha but stored no weights`);
  const fact: AlphaFact = { type: 'alpha', ...result, weights };
  await run.journal.append(fact, { provenance });
  watch({ type: 'job-done', job, worker: provenance.worker, accuracy: result.accuracy, seconds: provenance.seconds });
  return { fact, processor: provenance.processor };
}

/** What is known of an alpha trained earlier, if its weights are still there. */
async function readRecord(path: string, cache: CacheFolder): Promise<(JobResult & { weights: string }) | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (!text) return undefined;
  const parsed = jobResultSchema.safeParse(safeJson(text));
  const weights = parsed.data?.weights;
  if (!parsed.success || !weights || !(await cache.blobs.has(weights))) return undefined;
  return { ...parsed.data, weights };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
