import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SimulationReport } from '../../apps/coordinator/src/commands/simulate.js';
import { idealSeconds } from '../../apps/coordinator/src/simulate/simulated-training.js';
import { Workplace } from '../support/cli.js';

let workplace: Workplace;
beforeAll(async () => {
  workplace = await Workplace.create();
});
afterAll(() => workplace.destroy());

it('nesgd simulate: every individual is done by the real queue, also where attempts fail, and its cost is reported', async () => {
  const args = ['--workers', '20', '--population', '40', '--job-seconds', '0.05', '--failures', '0.2', '--json'];
  const report = await workplace.start(['simulate', ...args]).summary<SimulationReport>();
  expect(report.jobs).toBe(80);
  expect(report.failedAttempts).toBeGreaterThan(0);
  expect(report.makespanSeconds).toBeGreaterThan(report.idealSeconds);
  const overhead = (1000 * (report.makespanSeconds - report.idealSeconds)) / report.jobs;
  expect(report.queueOverheadMsPerJob).toBeCloseTo(overhead, 1);
  for (const key of ['idealSeconds', 'coordinatorRssMb', 'brokerRssMb', 'suppressionMs'] as const) {
    expect(report[key], key).toBeGreaterThan(0);
  }
});

it.each([
  ['--workers', 'many'],
  ['--failures', '1.5'],
  ['--population', '1'],
])('nesgd simulate: %s %s is refused', async (flag, value) => {
  const flags = { '--workers': '2', '--population': '4', [flag]: value };
  const cli = workplace.start(['simulate', ...Object.entries(flags).flat()]);
  expect(await cli.exited).toMatchObject({ code: 2 });
  expect(cli.stderr).toContain(flag);
});

it('ideal schedule: jobs in their order, each by the worker that is free first', () => {
  expect(idealSeconds([3, 1, 1, 1], 2)).toBe(3);
  expect(idealSeconds([1, 1, 1, 3], 2)).toBe(4);
  expect(idealSeconds([2, 3], 5)).toBe(3);
});
