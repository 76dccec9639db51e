import { InputError } from '../../errors.js';
import type { ImageShape } from '../dataset.js';
import { imageDecoder } from './decode-image.js';
import type { FileTree } from './file-tree.js';
import { forEachConcurrently } from './for-each-concurrently.js';
import type { ReadOptions } from './raw-dataset.js';

/** Decoding runs on libuv's four threads; a few more in flight keep them fed. */
const DECODES_IN_FLIGHT = 8;

/**
 * Decodes image files of one size, or scales them to one. Where all are grey they get one channel.
 * @returns uint8 HWC, in the order of `paths`.
 * @throws InputError naming the file.
 */
export async function decodeAll(
  tree: FileTree,
  paths: readonly string[],
  options: ReadOptions,
): Promise<{ imageShape: ImageShape; images: Uint8Array[] }> {
  const { imageSize: side } = options;
  const decode = await imageDecoder(side === undefined ? undefined : { height: side, width: side });
  const place = new Map(paths.map((path, i) => [path, i]));
  const images = new Array<Uint8Array>(paths.length);
  let first: { path: string; height: number; width: number } | undefined;
  let allGrey = true;
  let done = 0;
  await forEachConcurrently(
    tree.read(new Set(paths), options.signal),
    DECODES_IN_FLIGHT,
    async ({ path, where, content }) => {
      const { pixels, height, width } = await decode(content, where);
      first ??= { path: where, height, width };
      if (height !== first.height || width !== first.width) {
        throw new InputError(
          'IMAGE_SIZE',
          `${where} is ${height}x${width} (height x width), but ${first.path} is ${first.height}x${first.width}: all images must be of one size, or dataset.imageSize must be given to scale them`,
        );
      }
      allGrey &&= isGrey(pixels);
      images[place.get(path)!] = pixels;
      done++;
      if (done % 500 === 0 || done === paths.length) options.onProgress?.({ done, total: paths.length });
    },
  );
  const { height, width } = first!;
  if (!allGrey) return { imageShape: [height, width, 3], images };
  return { imageShape: [height, width, 1], images: images.map((pixels) => pixels.filter((_, i) => i % 3 === 0)) };
}

function isGrey(pixels: Uint8Array): boolean {
  for (let i = 0; i < pixels.length; i += 3) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  }
  return true;
}
