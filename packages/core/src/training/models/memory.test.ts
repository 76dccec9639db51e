import { expect, it } from 'vitest';
import { modelSpec, trainingMemoryBytes } from './index.js';

/** Peak resident size measured after training steps, in MiB (decision 0120). */
it.each([
  ['resnet8', 128, 495],
  ['resnet20', 512, 1235],
  ['resnet18', 32, 823],
  ['resnet18', 128, 1270],
  ['densenet100', 64, 5380],
  ['densenet121', 32, 1579],
  ['dpn92', 32, 2721],
  ['nin', 128, 896],
  ['fractalnet', 64, 1551],
] as const)('training memory: %s with batch %i is within a third of the %i MiB measured', (name, batch, mib) => {
  const estimate = trainingMemoryBytes(modelSpec(name, [32, 32, 3], 10), batch) / 2 ** 20;
  expect(estimate / mib).toBeGreaterThan(2 / 3);
  expect(estimate / mib).toBeLessThan(4 / 3);
});
