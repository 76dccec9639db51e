import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

let workplace: Workplace;
beforeAll(async () => {
  workplace = await Workplace.create();
});
afterAll(() => workplace.destroy());

it('a search in which every individual diverges says so and what to change', async () => {
  const experiment = tinyExperiment({
    dataset: { name: 'mnist', trainImages: 200, testImages: 100, validationFraction: 0.2 },
    alpha: { epochs: 1, learningRate: 0.05, batchSize: 32 },
    retrain: { epochs: 1, learningRateRetained: 1e20, learningRateReinitialised: 1e30, batchSize: 32 },
    evolution: { populationSize: 2, generations: 0 },
  });
  const file = await writeExperiment(join(workplace.folder, 'wild.yaml'), experiment);
  const args = ['--broker', 'local', '--workers', '1'];
  const cli = workplace.start(['run', file, '--run-id', 'wild', ...args]);
  expect(await cli.exited).toMatchObject({ code: 1 });
  const reason = /every individual's loss stopped being a number.*learningRateReinitialised below 1e\+30/;
  expect(cli.stderr).toMatch(reason);
  const again = workplace.start(['resume', 'wild', ...args]);
  expect(await again.exited).toMatchObject({ code: 1 });
  expect(again.stderr).toMatch(reason);
  expect(again.stderr).not.toContain('resuming');
  expect(await statusOf('wild')).toMatchObject({ state: 'diverged', divergence: expect.stringMatching(reason) });
});

it('so does a run whose alpha diverges, and status says it instead of showing a run to go on with', async () => {
  const experiment = tinyExperiment({
    dataset: { name: 'mnist', trainImages: 200, testImages: 100, validationFraction: 0.2 },
    alpha: { epochs: 1, learningRate: 1e30, batchSize: 32 },
  });
  const file = await writeExperiment(join(workplace.folder, 'wild-alpha.yaml'), experiment);
  const cli = workplace.start(['run', file, '--run-id', 'alpha', '--broker', 'local', '--workers', '1']);
  expect(await cli.exited).toMatchObject({ code: 1 });
  expect(cli.stderr).toMatch(/alpha's training diverged in epoch 1: .*smaller alpha.learningRate than 1e\+30/);
  const shown = workplace.start(['status', 'alpha']);
  await shown.exited;
  expect(shown.stdout).toMatch(/^alpha {2}diverged\nalpha's training diverged in epoch 1/);
  expect(shown.stdout).not.toContain('resume');
});

async function statusOf(runId: string): Promise<unknown> {
  return workplace.start(['status', runId, '--json']).summary();
}
