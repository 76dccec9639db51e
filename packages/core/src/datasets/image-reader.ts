import { readFile } from 'node:fs/promises';
import { InputError } from '../errors.js';
import type { ImageShape } from './dataset.js';
import { imageDecoder } from './sources/decode-image.js';

/** @returns uint8 `[H, W, C]` in the shape that a network takes. @throws InputError naming the file. */
export type ReadImage = (path: string) => Promise<Uint8Array>;

/** ITU-R BT.601, as most programs turn colours to grey. Equal channels stay what they are. */
const LUMA = [0.299, 0.587, 0.114] as const;

/**
 * Reads image files as a data set of such images is read: the same file gives the same bytes. It is scaled to the
 * network's size, cutting off what sticks out.
 * @throws InputError `IMAGE_DECODER` where images cannot be decoded on this machine.
 */
export async function imageReader([height, width, channels]: ImageShape): Promise<ReadImage> {
  const decode = await imageDecoder({ height, width });
  return async (path) => {
    const content = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      throw new InputError('IMAGE_FILE', `${path}: cannot be read: ${cause.message}`, false, { cause });
    });
    const { pixels } = await decode(content, path);
    return channels === 3 ? pixels : grey(pixels);
  };
}

function grey(pixels: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: pixels.length / 3 }, (_, i) =>
    Math.round(LUMA.reduce((sum, weight, c) => sum + weight * pixels[3 * i + c]!, 0)),
  );
}
