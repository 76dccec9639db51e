import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computedOn } from '@nesgd/core/machine';
import type { AlphaJob } from '@nesgd/core/protocol';
import { type CacheFolder, cacheFolder, keyOnProcessor, SnapshotStore, trainingKey } from '@nesgd/core/storage';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoordinatorClient } from './coordinator-client.js';
import { RemoteSnapshots } from './remote-snapshots.js';
import { type FakeCoordinator, fakeCoordinator, HASTY } from './test-support.js';

describe('RemoteSnapshots: what is left of a job that has left this worker', () => {
  const job = { kind: 'alpha', runtime: { engine: 'tensorflow', threads: 1 }, training: {} } as AlphaJob;
  const name = keyOnProcessor(trainingKey(job), computedOn(job.runtime));
  let cache: CacheFolder;
  let coordinator: FakeCoordinator;
  let snapshots: RemoteSnapshots;
  let status = 201;
  beforeEach(async () => {
    cache = cacheFolder(await mkdtemp(join(tmpdir(), 'nesgd-remote-snapshots-')));
    coordinator = await fakeCoordinator((request: IncomingMessage, response) => {
      const code = request.method === 'GET' ? 404 : status;
      request.resume().on('end', () => response.writeHead(code).end());
    });
    snapshots = new RemoteSnapshots({
      cache,
      coordinator: new CoordinatorClient({ url: coordinator.url, secret: 'x' }),
      log: pino({ level: 'silent' }),
      patience: HASTY,
    });
    await snapshots.bring(job, new AbortController().signal);
  });
  afterEach(async () => {
    await coordinator.close();
    await rm(cache.root, { recursive: true });
  });
  const files = async () => [...(await readdir(cache.snapshots)), ...(await readdir(cache.blobs.folder))];
  async function keep(steps: number): Promise<void> {
    const kept = await new SnapshotStore(cache).keep(name, steps, Buffer.from(`state ${steps}`));
    snapshots.send(job, kept!);
  }

  it('nothing, once the coordinator has it', async () => {
    status = 201;
    await keep(10);
    await keep(20);
    await snapshots.leave(job, true);
    expect(await files()).toEqual([]);
    expect(coordinator.requests.at(-1)).toMatch(new RegExp(`^PUT /snapshots/${name}/20-[0-9a-f]{64}$`));
  });

  it('nothing, where another has done the job', async () => {
    status = 422;
    await keep(10);
    await snapshots.leave(job, false);
    expect(await files()).toEqual([]);
  });

  it('its state, where the coordinator did not take it: the job may come here again', async () => {
    status = 422;
    await keep(10);
    await snapshots.leave(job, true);
    expect(await files()).toHaveLength(2);
  });
});
