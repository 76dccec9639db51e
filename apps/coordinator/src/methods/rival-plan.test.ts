import type { TrainRequest } from '@nesgd/core/baselines';
import { parseExperiment } from '@nesgd/core/run';
import { expect, it } from 'vitest';
import { rivalPlan } from './rival-plan.js';

/** The trainings that a method asks for, of which each gives the same accuracy. */
async function trainingsOf(method: object): Promise<TrainRequest[]> {
  const experiment = parseExperiment(
    {
      name: 'example',
      seed: 1,
      dataset: { name: 'mnist' },
      model: { name: 'resnet8' },
      alpha: { epochs: 3, learningRate: 0.1 },
      method,
    },
    'the test',
  );
  const asked: TrainRequest[] = [];
  const steps = rivalPlan(experiment, null, 100).method(async (requests) => {
    for (const request of requests) if (request.kind === 'train') asked.push(request);
    return requests.map(({ id }) => ({ accuracy: 0.5, weights: id }));
  });
  for await (const _ of steps);
  return asked;
}

it('plan of sgd: sameStart lets all repetitions start from the weights of the first, without it nothing is said', async () => {
  const initial = async (sgd: object) => (await trainingsOf({ name: 'sgd', sgd })).map(({ initialOf }) => initialOf);
  expect(await initial({ repeats: 3, sameStart: true })).toEqual(['sgd-1', 'sgd-1', 'sgd-1']);
  for (const not of [{}, { sameStart: false }])
    expect(await initial({ repeats: 2, ...not })).toEqual([undefined, undefined]);
});
