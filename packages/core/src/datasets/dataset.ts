import type { ImageStore } from './image-store.js';

/** `[height, width, channels]` of one image; channels is 1 (grey) or 3 (red, green, blue). */
export type ImageShape = [height: number, width: number, channels: number];

/** Class of each image, in [0, number of classes); 16 bits where there are more than 256 classes. */
export type Labels = Uint8Array | Uint16Array;

export interface LabelledImages {
  readonly images: ImageStore;
  /** `[count]` */
  readonly labels: Labels;
  readonly count: number;
}

/** A data set as trainers use it: labels in memory, images read when they are wanted. */
export interface Dataset {
  readonly name: string;
  readonly imageShape: ImageShape;
  /** In label order. */
  readonly classNames: readonly string[];
  /** Of each channel over all training images, in units where white is 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Training and validation images together; `partition` says which are which. */
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** Images cannot be read afterwards. */
  close(): void;
}

/** Values in one image. */
export function imageSize([height, width, channels]: ImageShape): number {
  return height * width * channels;
}

/** @param values integers below `classes`. */
export function makeLabels(values: ArrayLike<number>, classes: number): Labels {
  return classes <= 256 ? Uint8Array.from(values) : Uint16Array.from(values);
}

/** Images of each class. @returns `[classes]`. */
export function countByClass(labels: Labels, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}
