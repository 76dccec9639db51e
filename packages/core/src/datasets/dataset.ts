/** `[height, width, channels]` of one image; channels is 1 (grey) or 3 (red, green, blue). */
export type ImageShape = [height: number, width: number, channels: number];

/** Class of each image, in [0, number of classes); 16 bits where there are more than 256 classes. */
export type Labels = Uint8Array | Uint16Array;

export interface LabelledImages {
  /** uint8 `[count, height, width, channels]`, one image after the other. */
  readonly images: Uint8Array;
  /** `[count]` */
  readonly labels: Labels;
  readonly count: number;
}

/** A data set in memory, as trainers use it. Nobody writes into it. */
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
