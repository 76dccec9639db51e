import { dirname, join, resolve } from 'node:path';
import { readCheckpoint } from '@nesgd/core/checkpoint';
import { readPackedHeader } from '@nesgd/core/datasets';
import { InputError, NesgdError } from '@nesgd/core/errors';
import type { UsableNetwork } from '@nesgd/core/export';
import { searchesMasks, usesAlpha } from '@nesgd/core/methods';
import { modelSpec } from '@nesgd/core/models';
import type { Normalisation } from '@nesgd/core/protocol';
import { type JournalLine, type OpenedFact, readRun, runCommand } from '@nesgd/core/run';
import { BlobStore, type CacheFolder } from '@nesgd/core/storage';

export type Which = 'best' | 'alpha';

/** One of a run's two networks, with what the journal knows of it. */
export interface ChosenNetwork extends UsableNetwork {
  readonly opened: OpenedFact;
  readonly which: Which;
  /** The safetensors file that it came from. */
  readonly path: string;
  /** That file's SHA-256, as the journal has it. */
  readonly sha256: string;
  /** null where no mask was applied: alpha, and what methods without masks find. */
  readonly mask: string | null;
  /** On the split that is fitness, in [0, 1]. */
  readonly accuracy: number;
  readonly testAccuracy: number | null;
}

/**
 * A run's network: `best` is the winner, and before the end the leader of the last closed generation or step.
 * @throws InputError where the run has none yet, its file is gone, or nothing knows what it takes an image's bytes for;
 * CheckpointError where the file is damaged.
 */
export async function chosenNetwork(
  runsFolder: string,
  runId: string,
  which: Which,
  cache: CacheFolder,
): Promise<ChosenNetwork> {
  const { lines, opened } = await readRun(runsFolder, runId);
  const found = (which === 'alpha' ? alphaOf : bestOf)(lines, { ...opened, runId });
  const artifacts = new BlobStore(join(resolve(runsFolder, runId), 'artifacts'));
  const sha256 = await storedWeights(found.weights, artifacts, { runId, which });
  const path = artifacts.path(sha256);
  const spec = modelSpec(opened.experiment.model.name, opened.imageShape, opened.classNames.length);
  const weights = readCheckpoint(await artifacts.get(sha256), spec, path);
  const tested = lines.map((line) => line.fact).find((f) => f.type === 'tested' && f.which === which);
  return {
    opened,
    which,
    path,
    sha256,
    spec,
    weights,
    normalisation: await normalisationOf(opened, cache),
    mask: found.mask,
    accuracy: found.accuracy,
    // A leader that is not the winner yet was not tested.
    testAccuracy: tested?.type === 'tested' && tested.weights === sha256 ? tested.accuracy : null,
  };
}

/** What a journal says of a network. */
interface Found {
  readonly mask: string | null;
  readonly accuracy: number;
  /** SHA-256; null where they were not stored. */
  readonly weights: string | null;
}

function alphaOf(lines: readonly JournalLine[], { runId, experiment }: OpenedFact): Found {
  const fact = lines.map((line) => line.fact).find((f) => f.type === 'alpha');
  if (fact) return { mask: null, accuracy: fact.accuracy, weights: fact.weights };
  const { name } = experiment.method;
  const why = usesAlpha(name) ? `no network yet: its alpha is not trained` : `no alpha: its method is ${name}`;
  throw new InputError('NO_NETWORK', `run ${runId} has ${why}`);
}

function bestOf(lines: readonly JournalLine[], { runId, experiment }: OpenedFact): Found {
  const facts = lines.map((line) => line.fact);
  const masks = searchesMasks(experiment.method.name);
  const finished = facts.find((fact) => fact.type === 'finished');
  if (finished) {
    const { mask, accuracy, weights } = finished.best;
    return { mask: masks ? mask : null, accuracy, weights };
  }
  const diverged = facts.find((fact) => fact.type === 'diverged');
  if (diverged) throw new InputError('NO_NETWORK', `run ${runId} ended without a network: ${diverged.reason}`);
  const last = facts.findLast(({ type }) => type === 'generation' || type === 'step');
  if (last?.type === 'step' && last.best) return { mask: null, ...last.best };
  if (last?.type === 'generation') {
    const mask = last.best.mask.join('');
    const leader = facts.find(
      (fact) => fact.type === 'evaluated' && fact.mask === mask && fact.accuracy === last.best.fitness,
    );
    if (leader?.type === 'evaluated') return { mask, accuracy: leader.accuracy, weights: leader.weights };
  }
  const alpha = facts.some((fact) => fact.type === 'alpha') ? '; --which alpha takes the one that it started from' : '';
  const what = masks ? 'generation' : 'step';
  throw new InputError('NO_NETWORK', `run ${runId} has no best network yet: no ${what} is closed${alpha}`);
}

async function storedWeights(
  weights: string | null,
  artifacts: BlobStore,
  { runId, which }: { runId: string; which: Which },
): Promise<string> {
  if (weights && (await artifacts.has(weights))) return weights;
  const resume = runCommand('resume', { id: runId, path: dirname(artifacts.folder) });
  const where = weights ? artifacts.path(weights) : artifacts.folder;
  throw new InputError(
    'NO_NETWORK',
    `run ${runId}: the weights of ${which} are not in ${where}: "${resume}" stores them where the run is not finished; else restore the folder from a copy`,
  );
}

/** From the journal; for those of earlier versions from the packed data set, while it is still in the cache. */
async function normalisationOf(opened: OpenedFact, cache: CacheFolder): Promise<Normalisation> {
  if (opened.normalisation) return opened.normalisation;
  const hash = opened.data.dataset;
  try {
    const { mean, std } = await readPackedHeader(cache.datasets, hash);
    return { mean: [...mean], std: [...std] };
  } catch (cause) {
    if (!(cause instanceof NesgdError)) throw cause;
    throw new InputError(
      'NO_NORMALISATION',
      `run ${opened.runId} was begun by an earlier version, whose journal does not say how images are normalised, and the cache folder no longer has its data set ${hash.slice(0, 12)}: run its experiment.yaml once more to pack it`,
      false,
      { cause },
    );
  }
}
