import { describe, expect, test } from 'vitest';
import { datasetSchema } from './spec.js';

const faults = (value: unknown) =>
  datasetSchema.safeParse(value).error?.issues.map((i) => [i.path.join('.'), i.message]);

describe('datasetSchema', () => {
  test('MNIST needs nothing but its name', () => {
    expect(datasetSchema.parse({ name: 'mnist' })).toEqual({
      name: 'mnist',
      validationFraction: 0.1,
      augmentation: { padCrop: 0, horizontalFlip: false },
    });
  });

  test('custom without a path is told what would do', () => {
    const [fault] = faults({ name: 'custom' }) ?? [];
    expect(fault?.[0]).toBe('path');
    expect(fault?.[1]).toContain('give --data PATH. A folder or tar of images train/<class>/*.jpg');
  });

  test.each([
    [{ name: 'imagenet' }, 'name'],
    [{ name: 'mnist', trainImages: 0 }, 'trainImages'],
    [{ name: 'mnist', testImages: 1.5 }, 'testImages'],
    [{ name: 'mnist', validationFraction: 1 }, 'validationFraction'],
    [{ name: 'mnist', augmentation: { padCrop: -1 } }, 'augmentation.padCrop'],
    [{ name: 'mnist', folder: 'x' }, ''],
    [{ name: 'custom', path: 'x', testFraction: 1 }, 'testFraction'],
  ])('%j is refused at %j', (value, key) => {
    expect(faults(value)?.map(([path]) => path)).toEqual([key]);
  });
});
