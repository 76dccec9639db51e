import { describe, expect, test } from 'vitest';
import type { DataSplit } from '../protocol/jobs.js';
import { countByClass, type Dataset, type Labels } from './dataset.js';
import { partition } from './partition.js';
import { inMemory } from './test-support.js';

/** 1,000 training and 100 test images of four classes in the proportions 4:3:2:1, shuffled by a fixed stride. */
const labelled = (count: number): Labels =>
  Uint8Array.from({ length: count }, (_, i) => [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][(i * 7) % 10]!);

function dataset(): Dataset {
  const part = (count: number) => ({ images: inMemory(new Uint8Array(count), 1), labels: labelled(count), count });
  return {
    name: 'toy',
    imageShape: [1, 1, 1],
    classNames: ['a', 'b', 'c', 'd'],
    mean: [0],
    std: [1],
    train: part(1000),
    test: part(100),
    close: () => {},
  };
}

const split = (changes: Partial<DataSplit> = {}): DataSplit => ({
  dataset: '0'.repeat(64),
  trainImages: null,
  testImages: null,
  validationFraction: 0.1,
  augmentation: { padCrop: 0, horizontalFlip: false },
  ...changes,
});

const classesOf = (labels: Labels, images: Int32Array) =>
  countByClass(
    Uint8Array.from(images, (i) => labels[i]!),
    4,
  );

describe('partition', () => {
  test('training and validation images are disjoint and together everything', () => {
    const { train, validation, test: tested } = partition(dataset(), split(), 1);
    expect([train.length, validation.length, tested.length]).toEqual([900, 100, 100]);
    expect(new Set([...train, ...validation]).size).toBe(1000);
    expect([...tested]).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test('subsets have the exact size and the classes in proportion', () => {
    const data = dataset();
    const parts = partition(data, split({ trainImages: 500, testImages: 50, validationFraction: 0.2 }), 1);
    expect(classesOf(data.train.labels, parts.train)).toEqual([160, 120, 80, 40]);
    expect(classesOf(data.train.labels, parts.validation)).toEqual([40, 30, 20, 10]);
    expect(classesOf(data.test.labels, parts.test)).toEqual([20, 15, 10, 5]);
    expect(new Set([...parts.train, ...parts.validation]).size).toBe(500);
  });

  test('positions ascend', () => {
    const { train, validation } = partition(dataset(), split({ trainImages: 300 }), 1);
    for (const images of [train, validation]) expect(images).toEqual(images.slice().sort());
  });

  test('one seed gives one partition, another seed another', () => {
    const asked = split({ trainImages: 500, testImages: 50 });
    expect(partition(dataset(), asked, 7)).toEqual(partition(dataset(), asked, 7));
    for (const part of ['train', 'validation', 'test'] as const) {
      expect(partition(dataset(), asked, 7)[part]).not.toEqual(partition(dataset(), asked, 8)[part]);
    }
  });

  test('stays what saved runs were made with', () => {
    const { validation } = partition(dataset(), split({ trainImages: 40, validationFraction: 0.25 }), 1);
    expect([...validation]).toEqual([401, 403, 632, 658, 707, 789, 830, 835, 893, 894]);
  });

  test('more images than there are is refused', () => {
    expect(() => partition(dataset(), split({ trainImages: 1001 }), 1)).toThrow(/asks for 1001 images, .* has 1000/);
  });
});
