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
export type { Dataset, ImageShape, LabelledImages, Labels } from './dataset.js';
export { imageReader, type ReadImage } from './image-reader.js';
export { knownDataset } from './known-datasets.js';
export { openDataset } from './open-dataset.js';
export { readPackedHeader } from './packed-file.js';
export { type Partition, partition } from './partition.js';
export { type PreparedDataset, type PrepareOptions, prepareDataset } from './prepare-dataset.js';
export type { ReadProgress } from './sources/raw-dataset.js';
export { type DatasetSpec, datasetSchema } from './spec.js';
