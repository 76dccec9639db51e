import sharp from 'sharp';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { imageDecoder } from './decode-image.js';

describe('imageDecoder', () => {
  afterEach(() => {
    vi.doUnmock('sharp');
    vi.resetModules();
  });

  test('drops transparency and gives grey images three equal channels', async () => {
    const decode = await imageDecoder();
    const transparent = sharp(Buffer.from([1, 2, 3, 0]), { raw: { width: 1, height: 1, channels: 4 } });
    expect([...(await decode(await transparent.png().toBuffer(), 'a.png')).pixels]).toEqual([1, 2, 3]);
    const grey = sharp(Buffer.from([9]), { raw: { width: 1, height: 1, channels: 1 } });
    expect([...(await decode(await grey.toColourspace('b-w').png().toBuffer(), 'b.png')).pixels]).toEqual([9, 9, 9]);
  });

  test('a small file that would fill the memory is refused', async () => {
    const create = { width: 8200, height: 8200, channels: 3, background: 'white' } as const;
    const bomb = await sharp({ create }).png({ compressionLevel: 9 }).toBuffer();
    expect(bomb.length).toBeLessThan(1_000_000);
    const decode = await imageDecoder({ height: 8, width: 8 });
    await expect(decode(bomb, 'bomb.png')).rejects.toThrow('bomb.png: has more than 67108864 pixels');
  });

  test('without sharp the message says what brings it', async () => {
    vi.resetModules();
    vi.doMock('sharp', () => {
      throw new Error('no binary for this platform');
    });
    const fresh = await import('./decode-image.js');
    await expect(fresh.imageDecoder()).rejects.toThrow(
      /image files need the package sharp.*npm install --include=optional/,
    );
    await expect(fresh.imageDecoder()).rejects.toMatchObject({ code: 'IMAGE_DECODER' });
  });
});
