import { dirname, join } from 'node:path';
import { packedPath } from '../datasets/packed-file.js';
import type { Job } from '../protocol/index.js';
import { type CacheFolder, keyOfSnapshot, type Snapshot, snapshotSchema } from '../storage/index.js';

/** What a job names by content and a machine without our cache folder has to fetch: weights, or a packed data set. */
export interface Artifact {
  readonly kind: 'blobs' | 'datasets';
  readonly sha256: string;
}

/** Everything that must lie in the cache folder before a trainer can do the job. */
export function artifactsOf(job: Job): readonly Artifact[] {
  const dataset: Artifact = { kind: 'datasets', sha256: job.data.dataset };
  switch (job.kind) {
    case 'alpha':
      return [dataset];
    case 'evaluate':
      return [dataset, { kind: 'blobs', sha256: job.alpha }];
    case 'measure':
      return [dataset, { kind: 'blobs', sha256: job.weights }];
    case 'train':
      return job.weights === null ? [dataset] : [dataset, { kind: 'blobs', sha256: job.weights }];
    case 'recombine':
      return [dataset, ...[...new Set(job.parents)].map((sha256): Artifact => ({ kind: 'blobs', sha256 }))];
  }
}

/** @throws InputError for a name that is no SHA-256: nothing else may become a path. */
export function artifactPath(cache: CacheFolder, { kind, sha256 }: Artifact): string {
  return kind === 'blobs' ? cache.blobs.path(sha256) : packedPath(cache.datasets, sha256);
}

/**
 * What carries the time of an artifact's last use as its modification time: the file, but of a data set its folder, because trainers
 * take another time of the packed file for other content.
 */
export function lastUsePath(cache: CacheFolder, artifact: Artifact): string {
  const path = artifactPath(cache, artifact);
  return artifact.kind === 'datasets' ? dirname(path) : path;
}

/** The path of its URL below the coordinator's address. */
export function artifactRoute({ kind, sha256 }: Artifact): string {
  return `/artifacts/${kind}/${sha256}`;
}

/**
 * Reads a request's target as it stands: nothing is decoded or normalised, so nothing but a kind and a hash passes.
 * @returns undefined for every other text.
 */
export function artifactOfRoute(target: string): Artifact | undefined {
  const [, kind, sha256] = /^\/artifacts\/(blobs|datasets)\/([0-9a-f]{64})$/.exec(target) ?? [];
  return sha256 === undefined ? undefined : { kind: kind as Artifact['kind'], sha256 };
}

/** Where the parts of files on their way in lie, until they are whole and verified. */
export function incomingFolder(cache: CacheFolder): string {
  return join(cache.root, 'incoming');
}

/** Where the coordinator says which blob holds the furthest state of a job's training. */
export function snapshotRoute(name: string): string {
  return `/snapshots/${name}`;
}

/** Where a further state of a job's training is sent to: all that the coordinator must know of it is in the URL. */
export function stateRoute(name: string, { steps, sha256 }: Snapshot): string {
  return `${snapshotRoute(name)}/${steps}-${sha256}`;
}

/** @returns the snapshot's name and the training's key in it; undefined for every other text, as `artifactOfRoute`. */
export function snapshotOfRoute(target: string): { readonly name: string; readonly key: string } | undefined {
  const name = /^\/snapshots\/([^/]+)$/.exec(target)?.[1] ?? '';
  const key = keyOfSnapshot(name);
  return key === undefined ? undefined : { name, key };
}

/** Of `stateRoute`, as `snapshotOfRoute`. */
export function stateOfRoute(target: string): { name: string; key: string; snapshot: Snapshot } | undefined {
  const [, route = '', steps = '', sha256] = /^(\/snapshots\/[^/]+)\/(\d{1,15})-([0-9a-f]{64})$/.exec(target) ?? [];
  const of = snapshotOfRoute(route);
  const snapshot = snapshotSchema.safeParse({ steps: Number(steps), sha256 });
  return of && snapshot.success ? { ...of, snapshot: snapshot.data } : undefined;
}
