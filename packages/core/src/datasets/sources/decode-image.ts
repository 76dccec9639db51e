import type { Sharp, SharpOptions } from 'sharp';
import { InputError } from '../../errors.js';

export interface DecodedImage {
  /** uint8 `[height, width, 3]`; grey images have three equal channels. Transparency is dropped, 16 bits become 8. */
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** @throws InputError `IMAGE_DAMAGED` naming `where`. */
export type DecodeImage = (content: Buffer, where: string) => Promise<DecodedImage>;

/** 200 MB decoded: more than any camera of a production line gives. A small file can claim more to fill the memory. */
const MOST_PIXELS = 2 ** 26;

type SharpModule = (input: Uint8Array, options: SharpOptions) => Sharp;

/** What an image is scaled to, keeping its proportions: what sticks out on two sides is cut off. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/**
 * sharp's binaries are optional dependencies by platform, so it is looked for only when there are images to decode.
 * @param size undefined: as it is.
 * @throws InputError `IMAGE_DECODER` where sharp cannot be loaded.
 */
export async function imageDecoder(size?: ImageSize): Promise<DecodeImage> {
  const sharp = await loadSharp();
  return async (content, where) => {
    try {
      let image = sharp(content, { failOn: 'warning', limitInputPixels: MOST_PIXELS });
      if (size) image = image.resize(size.width, size.height, { fit: 'cover' });
      const { data, info } = await image
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer({ resolveWithObject: true });
      if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`);
      return { pixels: data, height: info.height, width: info.width };
    } catch (cause) {
      // libvips collects its reasons for all threads together, so the text may be another image's: it stays in `cause`.
      const message = /pixel limit/.test((cause as Error).message)
        ? `${where}: has more than ${MOST_PIXELS} pixels. Scale it down, or remove it`
        : `${where}: cannot be decoded: it is cut short, damaged or no image. Replace or remove it`;
      throw new InputError('IMAGE_DAMAGED', message, false, { cause });
    }
  };
}

/** @throws InputError `IMAGE_DECODER` where it cannot be loaded. */
export async function loadSharp(): Promise<SharpModule> {
  try {
    const { default: sharp } = await import('sharp');
    // Images are small and many: parallel over images, not within one, and none is seen twice.
    sharp.concurrency(1);
    sharp.cache(false);
    return sharp;
  } catch (cause) {
    throw new InputError(
      'IMAGE_DECODER',
      `image files need the package sharp, which cannot be loaded on ${process.platform}-${process.arch} (${(cause as Error).message.split('\n')[0]}): run npm install --include=optional, or pack the data set as idx files`,
      false,
      { cause },
    );
  }
}
