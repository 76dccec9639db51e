import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { healthFiles, healthFilesOfSeveral, removeOtherHealthFiles } from './health-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = () => join(folder, 'health.json');
const left = (...names: string[]) => {
  for (const name of names) writeFileSync(join(folder, name), '{}');
};

it('health files: one worker has the path itself, each of several a number after it', async () => {
  expect(healthFiles(path(), 1)).toEqual([path()]);
  expect(healthFiles(path(), 2)).toEqual([`${path()}.1`, `${path()}.2`]);
  left('health.json.10', 'health.json.2', 'health.json', 'health.json.2.new', 'other.json.1', 'health.json.x1');
  expect(await healthFilesOfSeveral(path())).toEqual([`${path()}.2`, `${path()}.10`]);
});

it.each([
  [1, ['health.json', 'other.json.1']],
  [2, ['health.json.1', 'health.json.2', 'other.json.1']],
])(
  'health files: a start of %i removes those of its path that an earlier one kept, and no others',
  async (workers, stay) => {
    left('health.json', 'health.json.1', 'health.json.2', 'health.json.3', 'other.json.1');
    await removeOtherHealthFiles(path(), workers);
    expect(readdirSync(folder).sort()).toEqual(stay);
  },
);
