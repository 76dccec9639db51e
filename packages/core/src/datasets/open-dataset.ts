import type { Dataset, LabelledImages } from './dataset.js';
import { readPackedFile } from './packed-file.js';
import type { Range } from './packed-header.js';

/**
 * Reads a packed data set into memory, once, and checks its content against the hash: about 0.6 s for the 184 MB of CIFAR-10.
 * Images are views on the one buffer. (Node has no mmap, so each trainer process has its own copy.)
 * @param hash of a data set that `prepareDataset` packed.
 * @throws NesgdError `DATASET_MISSING` or `DATASET_CORRUPT`, the latter naming the file to delete.
 */
export async function openDataset(hash: string, datasetsFolder: string): Promise<Dataset> {
  const { header, layout, bytes } = await readPackedFile(datasetsFolder, hash);
  const twoByteLabels = header.classNames.length > 256;
  const part = (images: Range, labels: Range): LabelledImages => {
    const labelBytes = bytes.slice(labels.from, labels.to);
    const values = twoByteLabels ? new Uint16Array(labelBytes.buffer) : labelBytes;
    return { images: bytes.subarray(images.from, images.to), labels: values, count: values.length };
  };
  return {
    name: header.name,
    imageShape: header.imageShape,
    classNames: header.classNames,
    mean: header.mean,
    std: header.std,
    train: part(layout.trainImages, layout.trainLabels),
    test: part(layout.testImages, layout.testLabels),
  };
}
