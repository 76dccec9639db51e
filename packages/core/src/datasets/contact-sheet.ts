import { type Dataset, imageSize } from './dataset.js';
import { loadSharp } from './sources/decode-image.js';

/** A sheet longer than this is of no use to anybody. */
const MOST_ROWS = 200;

const MARGIN = 8;
const GAP = 4;
/** Images are enlarged, by whole factors, until they have so many pixels a side. */
const SMALLEST_TILE = 48;
const LABEL_WIDTH = 220;
const TITLE_HEIGHT = 32;
const BACKGROUND = 255;

/**
 * A PNG with a row a class: its name, its number of images, and its first `perClass` images as they were packed. Labels are drawn
 * in whatever sans-serif font the machine has; where it has none they stay empty.
 * @throws InputError `IMAGE_DECODER` where PNGs cannot be made on this machine.
 */
export async function contactSheet(dataset: Dataset, part: 'train' | 'test', perClass: number): Promise<Buffer> {
  const sharp = await loadSharp();
  const [height, width] = dataset.imageShape;
  const factor = Math.max(1, Math.ceil(SMALLEST_TILE / Math.min(height, width)));
  const [tileHeight, tileWidth] = [height * factor, width * factor];
  const rows = dataset.classNames.slice(0, MOST_ROWS);
  const sheet = {
    width: LABEL_WIDTH + perClass * (tileWidth + GAP) + MARGIN,
    height: TITLE_HEIGHT + rows.length * (tileHeight + GAP) + MARGIN,
  };
  const canvas = new Uint8Array(3 * sheet.width * sheet.height).fill(BACKGROUND);
  const members = firstOfEachClass(dataset, part, perClass);
  const image = new Uint8Array(imageSize(dataset.imageShape));
  rows.forEach((_, label) => {
    members.first[label]!.forEach((position, column) => {
      dataset[part].images.read(position, image);
      const top = TITLE_HEIGHT + label * (tileHeight + GAP);
      const left = LABEL_WIDTH + column * (tileWidth + GAP);
      paint(canvas, sheet.width, { top, left, factor }, image, dataset.imageShape);
    });
  });
  dataset[part].images.checkUnchanged();
  const hidden = dataset.classNames.length - rows.length;
  const title = `${dataset.name}: ${dataset[part].count} ${part} images, ${dataset.classNames.length} classes${hidden > 0 ? `, the first ${rows.length} of them` : ''}`;
  const texts = rows.map((name, label) => ({
    y: TITLE_HEIGHT + label * (tileHeight + GAP) + tileHeight / 2,
    text: `${name} (${members.counts[label]})`,
  }));
  return sharp(canvas, { raw: { ...sheet, channels: 3 } })
    .composite([{ input: Buffer.from(labelsSvg(sheet, title, texts)) }])
    .png()
    .toBuffer();
}

function firstOfEachClass(dataset: Dataset, part: 'train' | 'test', perClass: number) {
  const first = dataset.classNames.map((): number[] => []);
  const counts = dataset.classNames.map(() => 0);
  for (const [position, label] of dataset[part].labels.entries()) {
    counts[label]!++;
    if (first[label]!.length < perClass) first[label]!.push(position);
  }
  return { first, counts };
}

/** Each pixel becomes `factor` x `factor`; grey ones get three channels. */
function paint(
  canvas: Uint8Array,
  canvasWidth: number,
  { top, left, factor }: { top: number; left: number; factor: number },
  image: Uint8Array,
  [height, width, channels]: Dataset['imageShape'],
): void {
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const from = channels * (Math.floor(y / factor) * width + Math.floor(x / factor));
      const to = 3 * ((top + y) * canvasWidth + left + x);
      for (let c = 0; c < 3; c++) canvas[to + c] = image[from + (channels === 3 ? c : 0)]!;
    }
  }
}

function labelsSvg(
  { width, height }: { width: number; height: number },
  title: string,
  texts: readonly { y: number; text: string }[],
): string {
  const line = (x: number, y: number, text: string, size: number) =>
    `<text x="${x}" y="${y}" font-size="${size}" font-family="sans-serif" dominant-baseline="middle">${escaped(text)}</text>`;
  const lines = texts.map(({ y, text }) => line(MARGIN, y, shortened(text), 14));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${line(MARGIN, TITLE_HEIGHT / 2, title, 16)}${lines.join('')}</svg>`;
}

/** Names come from other people's folders. Control characters are not allowed in XML, escaped or not. */
function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return text.replace(/\p{Cc}/gu, ' ').replace(/[&<>]/g, (character) => entities[character]!);
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= 26 ? text : `${characters.slice(0, 25).join('')}…`;
}
