import { channelStatistics } from './channel-statistics.js';
import { countByClass, imageSize, type Labels } from './dataset.js';
import { storePacked } from './packed-file.js';
import { encodePackedHeader, type PackedHeader } from './packed-header.js';
import type { RawDataset } from './sources/raw-dataset.js';

/** Packs what a source gave. @returns SHA-256 of the packed file, which names the data set from now on, and its header. */
export async function packDataset(
  name: string,
  raw: RawDataset,
  datasetsFolder: string,
  signal?: AbortSignal,
): Promise<{ hash: string; header: PackedHeader }> {
  const classes = raw.classNames.length;
  const header: PackedHeader = {
    name,
    imageShape: raw.imageShape,
    classNames: raw.classNames,
    ...channelStatistics(raw.train.pieces, raw.imageShape[2]),
    classCounts: { train: countByClass(raw.train.labels, classes), test: countByClass(raw.test.labels, classes) },
  };
  return { hash: await storePacked(datasetsFolder, chunksOf(header, raw), signal), header };
}

function* chunksOf(header: PackedHeader, { train, test, imageShape }: RawDataset): Generator<Uint8Array> {
  for (const { pieces, labels } of [train, test]) {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (bytes !== labels.length * imageSize(imageShape))
      throw new Error(`${labels.length} labels for ${bytes} bytes of images`);
  }
  yield encodePackedHeader(header);
  yield bytesOf(train.labels);
  yield bytesOf(test.labels);
  yield* train.pieces;
  yield* test.pieces;
}

/** Two-byte labels little-endian, as every platform of Node's is. */
function bytesOf(labels: Labels): Uint8Array {
  return new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength);
}
