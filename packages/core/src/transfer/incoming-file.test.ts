import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IncomingFile, sweepIncoming } from './incoming-file.js';

const CONTENT = Buffer.from('weights of a network');
const SHA = createHash('sha256').update(CONTENT).digest('hex');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-incoming-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('IncomingFile', () => {
  const part = () => join(folder, 'incoming', 'x.part');
  const place = () => join(folder, 'blobs', SHA);

  it('gets its place once it is whole, and leaves no part', async () => {
    const file = await IncomingFile.open(part());
    await file.append(CONTENT);
    await file.finish(SHA, place());
    await file.close();
    expect(await readFile(place())).toEqual(CONTENT);
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });

  it('goes on where it was closed: the bytes on the disk count', async () => {
    const first = await IncomingFile.open(part());
    await first.append(CONTENT.subarray(0, 5));
    await first.close();
    const second = await IncomingFile.open(part());
    expect(second.bytes).toBe(5);
    await second.append(CONTENT.subarray(5));
    await second.finish(SHA, place());
    await second.close();
    expect(await readFile(place())).toEqual(CONTENT);
  });

  it('never gets its place with other content; what came is forgotten and can be received anew', async () => {
    const file = await IncomingFile.open(part());
    await file.append(Buffer.from('something else'));
    await expect(file.finish(SHA, place())).rejects.toMatchObject({ code: 'ARTIFACT_CONTENT', wanted: SHA });
    expect(file.bytes).toBe(0);
    await file.append(CONTENT);
    await file.finish(SHA, place());
    await file.close();
    expect(await readFile(place())).toEqual(CONTENT);
  });

  it('leaves nothing when discarded', async () => {
    const file = await IncomingFile.open(part());
    await file.append(CONTENT);
    await file.discard();
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
  });
});

describe('sweepIncoming', () => {
  it('removes the parts of two days ago and keeps those of an hour ago', async () => {
    const hour = 3600 * 1000;
    const now = Date.now();
    for (const [name, age] of [
      ['old.part', 48 * hour],
      ['new.part', hour],
    ] as const) {
      await writeFile(join(folder, name), '');
      await utimes(join(folder, name), (now - age) / 1000, (now - age) / 1000);
    }
    await sweepIncoming(folder);
    expect(await readdir(folder)).toEqual(['new.part']);
  });

  it('does nothing where there is no folder', async () => {
    await expect(sweepIncoming(join(folder, 'none'))).resolves.toBeUndefined();
  });
});
