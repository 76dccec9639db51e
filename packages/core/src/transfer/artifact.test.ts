import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { cacheFolder } from '../storage/index.js';
import { type Artifact, artifactOfRoute, artifactPath, artifactRoute } from './artifact.js';

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
