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
  /** Class names where the data set is a known one: labels are checked against them. */
  readonly classNames?: readonly string[] | undefined;
  /** Image files only: scale to this side. */
  readonly imageSize?: number | undefined;
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
