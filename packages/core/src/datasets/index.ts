export { type EpochAugmentation, epochAugmentation, type StreamPath } from './augmentation.js';
export {
  type BatchSource,
  batchesOf,
  batchSource,
  checkBatchSize,
  epochOrder,
  fillBatch,
  normalisationTable,
} from './batches.js';
export { contactSheet } from './contact-sheet.js';
export type { Dataset, ImageShape, LabelledImages, Labels } from './dataset.js';
export { imageReader, type ReadImage } from './image-reader.js';
export { KNOWN_NAMES, type KnownDatasetName, knownDataset } from './known-datasets.js';
export { openDataset } from './open-dataset.js';
export { checkOriginal } from './originals/check-original.js';
export { type FetchedFile, fetchOriginals } from './originals/fetch-originals.js';
export { isPresent, originalPath } from './originals/original-files.js';
export { packedPath, readPackedHeader, verifyPackedFile } from './packed-file.js';
export { listPacked } from './packed-list.js';
export { type Partition, partition } from './partition.js';
export { type PreparedDataset, type PrepareOptions, prepareDataset } from './prepare-dataset.js';
export type { ReadProgress } from './sources/raw-dataset.js';
export { type DatasetSpec, datasetSchema } from './spec.js';
