import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  fileOf,
  folderOf,
  idx,
  idxFiles,
  imageFiles,
  readAt,
  type TarEntry,
  tar,
  tarOf,
  tarWithoutEnd,
} from '../test-support.js';
import { openTree } from './file-tree.js';

const files = idxFiles([0, 1, 1], [1, 0]);
const entries: TarEntry[] = Object.entries(files).map(([name, content]) => ({ name, content }));

describe('tars', () => {
  test('plain, gzipped, with ./ and with one folder around everything all give the same', async () => {
    const wanted = await readAt(await folderOf(files));
    expect(await readAt(await fileOf('a.tar', tarOf(files)))).toEqual(wanted);
    expect(await readAt(await fileOf('a.tgz', gzipSync(tarOf(files))))).toEqual(wanted);
    expect(await readAt(await fileOf('a.tar', tarOf(files, './')))).toEqual(wanted);
    const wrapped = [
      { name: 'mnist/', type: '5' } as const,
      ...entries.map((e) => ({ ...e, name: `mnist/${e.name}` })),
    ];
    expect(await readAt(await fileOf('a.tar', tar(wrapped)))).toEqual(wanted);
  });

  test.each(['a.tar', 'a.tgz'])(
    'the list of names, which takes a while, ends at once when it is told to (%s)',
    async (name) => {
      const many = tar(Array.from({ length: 20_000 }, (_, i) => ({ name: `train/cat/${i}.png` })));
      const tree = await openTree(await fileOf(name, name === 'a.tgz' ? gzipSync(many) : many));
      const stop = new AbortController();
      const listing = tree.list(stop.signal);
      const reason = new Error('Ctrl-C');
      setImmediate(() => stop.abort(reason));
      await expect(listing).rejects.toBe(reason);
    },
  );

  test('an archive with train/ alone is not mistaken for one with a folder around everything', async () => {
    const train = Object.fromEntries(Object.entries(await imageFiles()).filter(([path]) => path.startsWith('train/')));
    await expect(readAt(await fileOf('a.tar', tarOf(train)))).rejects.toThrow(/no class folders in test\//);
  });

  test('an empty class folder in an archive is seen', async () => {
    const images = Object.entries(await imageFiles()).map(([name, content]) => ({ name, content }));
    const path = await fileOf(
      'a.tar',
      tar([...images, { name: 'train/eel/', type: '5' }, { name: 'test/eel/', type: '5' }]),
    );
    await expect(readAt(path)).rejects.toThrow(/train\/eel has no images/);
  });

  const damaged = /a.tar: is cut short, damaged or no tar/;
  const whole = tarOf(files);
  const gzipped = gzipSync(whole);

  test.each<[fault: string, content: Buffer, message: RegExp]>([
    ['cut short inside a file', whole.subarray(0, 520), damaged],
    ['cut short between two files', tarWithoutEnd(entries), /a.tar: is cut short.*does not end with an empty block/],
    ['gzipped and cut short', gzipped.subarray(0, gzipped.length - 20), /a.tar: is cut short.*unexpected end of file/],
    ['gzipped and no tar', gzipSync(Buffer.alloc(5000, 'text ')), damaged],
    ['with a damaged header', Buffer.from(whole).fill(0x41, 1024, 1034), damaged],
    [
      'with a path that climbs out',
      tar([...entries, { name: 'train/../../etc/x' }]),
      /"train\/..\/..\/etc\/x", a path outside/,
    ],
    ['with an absolute path', tar([...entries, { name: '/etc/x' }]), /"\/etc\/x", a path outside/],
    ['with a hard link', tar([...entries, { name: 'a', type: '1' }]), /holds the link a; .*--hard-dereference/],
    ['with a symbolic link', tar([...entries, { name: 'a', type: '2' }]), /holds the link a/],
    ['with a file twice', tar([...entries, entries[0]!]), /holds train-images-idx3-ubyte twice/],
  ])('an archive %s is refused', async (_fault, content, message) => {
    const path = await fileOf('a.tar', content);
    await expect(readAt(path)).rejects.toThrow(message);
    await expect(readAt(path)).rejects.toThrow(path);
    await expect(readAt(path)).rejects.toMatchObject({ name: 'InputError' });
  });

  test('a file that is no archive is refused', async () => {
    const path = await fileOf('notes.txt', Buffer.from('hello'));
    await expect(openTree(path)).rejects.toThrow(/notes.txt: is not a tar or tar.gz/);
  });

  test('a path that does not exist is refused', async () => {
    await expect(openTree('no/such/place')).rejects.toThrow(
      /dataset.path no\/such\/place: there is no such file or folder/,
    );
  });

  test('a folder without a data set is told the layouts', async () => {
    const path = await folderOf({ 'notes.txt': Buffer.from('hello') });
    await expect(readAt(path)).rejects.toThrow(
      /holds no data set.*train-images-idx3-ubyte.*data_batch_1.bin.*train\/<class>/s,
    );
  });

  test('an archive that inflates as no images do is left before it wastes time', async () => {
    const path = await fileOf('bomb.tar.gz', gzipSync(Buffer.alloc(2 ** 28)));
    await expect(readAt(path)).rejects.toThrow(/bomb.tar.gz: .*inflate to more than \d+, as images do not/);
  });

  test('a file larger than memory should hold is refused by what its header says', async () => {
    const name = 'train-images-idx3-ubyte';
    const image = tar([{ name, content: idx([1, 1, 1], [1]) }]);
    const header = Buffer.from(image.subarray(0, 512));
    header.write('77777777777\0', 124); // 8 GiB
    header.write(' '.repeat(8), 148);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await expect(readAt(await fileOf('a.tar', Buffer.concat([header, image.subarray(512)])))).rejects.toThrow(
      /a.tar: is cut short/,
    );
  });
});
