import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageReader } from './image-reader.js';

describe('imageReader', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-images-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function picture(pixels: number[], width: number, height: number): Promise<string> {
    const path = join(folder, `${width}x${height}.png`);
    await sharp(Buffer.from(pixels), { raw: { width, height, channels: 3 } })
      .png()
      .toFile(path);
    return path;
  }

  it('gives an image of the right size as it is', async () => {
    const path = await picture([1, 2, 3, 4, 5, 6], 2, 1);
    expect([...(await (await imageReader([1, 2, 3]))(path))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('for a grey network weighs the colours; grey pixels stay what they are, all 256 of them', async () => {
    const levels = Array.from({ length: 256 }, (_, level) => level);
    const read = await imageReader([1, 256, 1]);
    expect([
      ...(await read(
        await picture(
          levels.flatMap((v) => [v, v, v]),
          256,
          1,
        ),
      )),
    ]).toEqual(levels);
    const colours = await (await imageReader([1, 3, 1]))(await picture([255, 0, 0, 0, 255, 0, 0, 0, 255], 3, 1));
    expect([...colours]).toEqual([76, 150, 29]);
  });

  it('scales another size, cutting off what sticks out', async () => {
    const row = [9, 9, 9, 80, 80, 80, 80, 80, 80, 9, 9, 9];
    const path = await picture([...row, ...row], 4, 2);
    expect(new Set(await (await imageReader([2, 2, 3]))(path))).toEqual(new Set([80]));
  });

  it('refuses what is not there and what is no image, by name', async () => {
    const read = await imageReader([2, 2, 3]);
    await expect(read(join(folder, 'none.png'))).rejects.toThrow(/none\.png: cannot be read: ENOENT/);
    await writeFile(join(folder, 'text.png'), 'no picture');
    await expect(read(join(folder, 'text.png'))).rejects.toThrow(/text\.png: cannot be decoded: .*no image/);
  });
});
