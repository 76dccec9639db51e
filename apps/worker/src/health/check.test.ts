import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HealthReport, monotonicMs } from './health-report.js';

const CHECK = fileURLToPath(new URL('../../dist/health/check.js', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const report = (name: string, refusal: string | null = null) => {
  const well: HealthReport = {
    writtenAtMs: monotonicMs(),
    everyMs: 60_000,
    brokerSilentMs: 0,
    trainerSilentMs: null,
    refusal,
  };
  writeFileSync(join(folder, name), JSON.stringify(well));
};
const check = () => {
  const env = { ...process.env, NESGD_HEALTH_FILE: join(folder, 'health.json') };
  const { status, stdout } = spawnSync(process.execPath, [CHECK], { env, encoding: 'utf8' });
  return { status, stdout };
};

it('health check: of one worker by its file, of several by each one’s', () => {
  report('health.json');
  expect(check()).toEqual({ status: 0, stdout: 'healthy\n' });
  rmSync(join(folder, 'health.json'));
  expect(check()).toMatchObject({ status: 1, stdout: expect.stringContaining('is not there') });
  report('health.json.1');
  report('health.json.2');
  expect(check()).toEqual({ status: 0, stdout: 'healthy\n' });
  report('health.json.2', 'no card');
  expect(check()).toMatchObject({ status: 1, stdout: expect.stringMatching(/^worker 2: .*no card\n$/) });
});
