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
  const cli = workplace.start(['run', file, '--broker', 'local', '--workers', '1']);
  expect(await cli.exited).toMatchObject({ code: 1 });
  expect(cli.stderr).toMatch(/every individual's loss stopped being a number.*learningRateReinitialised below 1e\+30/);
});
