import { imageDraw, scaleDraw } from './augmentation.js';
import type { ImageShape } from './dataset.js';

/**
 * Cutout (DeVries & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout"): blanks a square of a
 * normalised image. Its centre is any pixel alike, so it may stick out of the image; blank is 0, the mean. For even sides this is the
 * authors' code; theirs gives odd ones a pixel less.
 * @param image float32 `[height, width, channels]`, normalised; changed in place.
 * @param side of the square, in pixels.
 * @param key of the epoch; `position` that of the image, which together fix the square.
 */
export function cutOut(
  image: Float32Array,
  [height, width, channels]: ImageShape,
  side: number,
  key: number,
  position: number,
): void {
  const half = Math.floor(side / 2);
  // Draws 0 to 2 are the crop's and the flip's.
  const top = scaleDraw(imageDraw(key, position, 3), height) - half;
  const left = scaleDraw(imageDraw(key, position, 4), width) - half;
  const fromX = Math.max(0, left);
  const toX = Math.min(width, left + side);
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++) {
    image.fill(0, (y * width + fromX) * channels, (y * width + toX) * channels);
  }
}
