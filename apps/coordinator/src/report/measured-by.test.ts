import { expect, it } from 'vitest';
import { exampleDigest, exampleRival } from './example-journal.fixture.js';
import { measuredBy } from './measured-by.js';

it('measuredBy: says of each run what it trained, and how long', async () => {
  const cut = await exampleRival('sgd');
  const runs = [
    await exampleDigest(),
    await exampleRival('sgd'),
    await exampleRival('sgd', { single: true, fitness: 'test' }),
    await exampleRival('sgd-restarts'),
    {
      ...cut,
      individuals: cut.individuals.map((of, i) => (i === 3 ? { ...of, curve: of.curve.slice(0, 1) } : of)),
    },
    await exampleDigest({ experiment: { alpha: { from: 'alpha.safetensors' } } }),
  ];
  const alpha = 'alpha 4 epochs';
  const search = 'retraining 2, 3 generations of 5, fitness on validation.';
  const of = 'resnet8 on mnist, all training images';
  expect(measuredBy(runs)).toEqual([
    `example: ne-sgd, ${of}, ${alpha}, ${search}`,
    `example: sgd, ${of}, 4 trainings of 2 epochs, fitness on validation.`,
    `example: sgd, ${of}, 1 training of 2 epochs, fitness on test.`,
    `example: sgd-restarts, ${of}, ${alpha}, 4 trainings of 2 epochs, fitness on validation.`,
    `example: sgd, ${of}, 4 trainings of 1 to 2 epochs, fitness on validation.`,
    `example: ne-sgd, ${of}, alpha from a file, ${search}`,
  ]);
});
