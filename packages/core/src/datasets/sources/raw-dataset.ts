import { InputError } from '../../errors.js';
import type { ImageShape, Labels } from '../dataset.js';
import type { FileTree, Listing } from './file-tree.js';

/** What every source format gives. */
export interface RawDataset {
  readonly imageShape: ImageShape;
  /** In label order. */
  readonly classNames: readonly string[];
  readonly train: RawImages;
  readonly test: RawImages;
}

export interface RawImages {
  /** uint8 NHWC when joined; each piece is one or more whole images. */
  readonly pieces: readonly Uint8Array[];
  /** `[count]` */
  readonly labels: Labels;
}

export interface ReadProgress {
  /** Images read so far, of `total`. */
  readonly done: number;
  readonly total: number;
}

export interface ReadOptions {
  /** The data set's name, where its files hold more than one. */
  readonly name?: string | undefined;
  /** Class names where the data set is a known one: labels are checked against them. */
  readonly classNames?: readonly string[] | undefined;
  /** Image files only: scale to this side. */
  readonly imageSize?: number | undefined;
  /** Class folders without a test folder: the share of each class's images that becomes the test set. */
  readonly testFraction?: number | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One way in which files are a data set. Adding one is one file and one line in `read-source.ts`. */
export interface SourceFormat {
  /** For messages: the layout, in words. */
  readonly layout: string;
  recognises(listing: Listing): boolean;
  /** @throws InputError naming the file and what would be right. */
  read(tree: FileTree, listing: Listing, options: ReadOptions): Promise<RawDataset>;
}

/** @throws InputError where images of a fixed size were to be scaled. */
export function refuseImageSize({ imageSize }: ReadOptions, path: string, what: string): void {
  if (imageSize === undefined) return;
  throw new InputError(
    'DATASET_SPEC',
    `dataset.imageSize: scales image files, but ${path} holds ${what}; leave it out`,
  );
}
