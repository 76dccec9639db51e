import { z } from 'zod';
import { type ImageShape, imageSize } from './dataset.js';

/**
 * A packed data set is one safetensors file (8 bytes of header length, little-endian; the header as JSON; the tensors),
 * so NumPy and PyTorch read it too: `train.labels` and `test.labels` U8 or U16 `[count]`, `train.images` and
 * `test.images` U8 `[count, height, width, channels]`. The rest stands in its metadata, where safetensors allows only
 * texts.
 */
export interface PackedHeader {
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  /** Of each channel over the training images, in units where white is 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Images of each class. */
  readonly classCounts: { readonly train: readonly number[]; readonly test: readonly number[] };
}

/** Raised whenever the same source would be packed into other bytes. */
export const PACKED_VERSION = 1;

/** Where the parts stand, in bytes from the start of the file. */
export interface PackedLayout {
  readonly trainLabels: Range;
  readonly testLabels: Range;
  readonly trainImages: Range;
  readonly testImages: Range;
  readonly fileLength: number;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

export function countOf(header: PackedHeader, part: 'train' | 'test'): number {
  return header.classCounts[part].reduce((sum, n) => sum + n, 0);
}

/** Labels first: two-byte ones must begin at an even place. */
export function packedLayout(header: PackedHeader, headerLength: number): PackedLayout {
  const [train, test] = [countOf(header, 'train'), countOf(header, 'test')];
  const labelBytes = header.classNames.length <= 256 ? 1 : 2;
  const perImage = imageSize(header.imageShape);
  let at = 8 + headerLength;
  const next = (length: number): Range => {
    at += length;
    return { from: at - length, to: at };
  };
  return {
    trainLabels: next(train * labelBytes),
    testLabels: next(test * labelBytes),
    trainImages: next(train * perImage),
    testImages: next(test * perImage),
    fileLength: at,
  };
}

/** @returns the file up to the first tensor, which then stands at a multiple of 64 bytes. */
export function encodePackedHeader(header: PackedHeader): Buffer {
  const { trainLabels, testLabels, trainImages, testImages } = packedLayout(header, -8);
  const labels = header.classNames.length <= 256 ? 'U8' : 'U16';
  const tensor = (dtype: string, shape: number[], { from, to }: Range) => ({ dtype, shape, data_offsets: [from, to] });
  const [train, test] = [countOf(header, 'train'), countOf(header, 'test')];
  const json = JSON.stringify({
    __metadata__: {
      format: 'nesgd-dataset',
      version: String(PACKED_VERSION),
      name: header.name,
      class_names: JSON.stringify(header.classNames),
      class_counts: JSON.stringify(header.classCounts),
      mean: JSON.stringify(header.mean),
      std: JSON.stringify(header.std),
    },
    'train.labels': tensor(labels, [train], trainLabels),
    'test.labels': tensor(labels, [test], testLabels),
    'train.images': tensor('U8', [train, ...header.imageShape], trainImages),
    'test.images': tensor('U8', [test, ...header.imageShape], testImages),
  });
  const length = Buffer.byteLength(json);
  const padded = Math.ceil((8 + length) / 64) * 64 - 8;
  const encoded = Buffer.alloc(8 + padded, ' ');
  encoded.writeBigUInt64LE(BigInt(padded));
  encoded.write(json, 8);
  return encoded;
}

const jsonText = <T extends z.ZodType>(inner: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(inner);

const counts = z.array(z.int().min(0));
const dimension = z.int().positive();

const headerSchema = z.looseObject({
  __metadata__: z.looseObject({
    format: z.literal('nesgd-dataset'),
    version: z.literal(String(PACKED_VERSION)),
    name: z.string(),
    class_names: jsonText(z.array(z.string()).min(1)),
    class_counts: jsonText(z.strictObject({ train: counts, test: counts })),
    mean: jsonText(z.array(z.number())),
    std: jsonText(z.array(z.number())),
  }),
  'train.images': z.looseObject({ shape: z.tuple([z.int(), dimension, dimension, dimension]) }),
});

/** @param json the header's bytes after the length. @returns undefined where they are not a packed data set's. */
export function decodePackedHeader(json: Buffer): PackedHeader | undefined {
  const parsed = jsonText(headerSchema).safeParse(json.toString('utf8')).data;
  if (!parsed) return undefined;
  const { name, class_names: classNames, class_counts: classCounts, mean, std } = parsed.__metadata__;
  const [, height, width, channels] = parsed['train.images'].shape;
  return { name, imageShape: [height, width, channels], classNames, mean, std, classCounts };
}
