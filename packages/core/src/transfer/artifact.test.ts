import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import type { Job } from '../protocol/index.js';
import { cacheFolder } from '../storage/index.js';
import { type Artifact, artifactOfRoute, artifactPath, artifactRoute, artifactsOf } from './artifact.js';

const SHA = 'ab'.repeat(32);

describe('artifactOfRoute', () => {
  it.each(['blobs', 'datasets'] as const)('gives back what artifactRoute wrote: %s', (kind) => {
    expect(artifactOfRoute(artifactRoute({ kind, sha256: SHA }))).toEqual({ kind, sha256: SHA });
  });

  it.each([
    `/artifacts/alphas/${SHA}`,
    `/artifacts/blobs/${SHA.toUpperCase()}`,
    `/artifacts/blobs/${SHA}/`,
    `/artifacts/blobs/${SHA}?x`,
    `/artifacts/blobs/../datasets/${SHA}`,
    `/artifacts/blobs/%2e%2e%2f${SHA}`,
    `//artifacts/blobs/${SHA}`,
    `http://elsewhere/artifacts/blobs/${SHA}`,
    `/artifacts/blobs/${SHA}\n`,
    '/artifacts/blobs/../../../../etc/passwd',
    '/',
    '',
  ])('lets nothing else pass: %j', (target) => {
    expect(artifactOfRoute(target)).toBeUndefined();
  });
});

describe('artifactPath', () => {
  it.each(['blobs', 'datasets'] as const)('lets no name but a hash into a path: %s', (kind) => {
    const artifact: Artifact = { kind, sha256: '../../etc/passwd' };
    expect(() => artifactPath(cacheFolder('/cache'), artifact)).toThrow(InputError);
  });
});

describe('artifactsOf', () => {
  const [a, b, data] = ['a', 'b', 'd'].map((digit) => digit.repeat(64)) as [string, string, string];
  const weightsOf = (job: object) =>
    artifactsOf({ data: { dataset: data }, ...job } as Job).map(({ kind, sha256 }) => `${kind} ${sha256[0]}`);

  it('names what a training starts from, and each parent of an offspring once', () => {
    expect(weightsOf({ kind: 'train', weights: null })).toEqual(['datasets d']);
    expect(weightsOf({ kind: 'train', weights: a })).toEqual(['datasets d', 'blobs a']);
    expect(weightsOf({ kind: 'recombine', parents: [b, a, b] })).toEqual(['datasets d', 'blobs b', 'blobs a']);
  });
});
