import { homedir } from 'node:os';
import { join } from 'node:path';
import { BlobStore } from './blob-store.js';

/** Where everything that can be made again lives, shared by all runs of one user on one machine. */
export interface CacheFolder {
  readonly root: string;
  /** Packed data sets, `<hash>/`. */
  readonly datasets: string;
  /** Checkpoints by SHA-256: alpha, and the retrained weights that led a run. */
  readonly blobs: BlobStore;
  /** How far trainings under way have come, by the hash of their job. */
  readonly snapshots: string;
  /** What is known of alphas trained before, by the hash of everything they depend on. */
  readonly alphas: string;
  /** The native runtime: TensorFlow, the binding, Valkey. */
  readonly runtime: string;
}

/** `$NESGD_CACHE`, else `$XDG_CACHE_HOME/nesgd`, else `~/.cache/nesgd`. */
export function defaultCacheRoot(env: NodeJS.ProcessEnv): string {
  if (env.NESGD_CACHE) return env.NESGD_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'nesgd');
}

export function cacheFolder(root: string): CacheFolder {
  return {
    root,
    datasets: join(root, 'datasets'),
    blobs: new BlobStore(join(root, 'blobs')),
    snapshots: join(root, 'snapshots'),
    alphas: join(root, 'alphas'),
    runtime: join(root, 'runtime'),
  };
}
