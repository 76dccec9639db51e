import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/**
 * Unpacks some files of a wheel (a zip archive). Node has no zip reader; wheels need little of one: no encryption, no
 * zip64, entries stored or deflated. Contents are not checked against their CRC: whoever calls has checked the
 * SHA-256 of the archive.
 */

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_SIZE = 22;
const MAX_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;
const CHUNK_BYTES = 2 ** 20;

/**
 * @param {string} archive
 * @param {string} folder where files go.
 * @param {(name: string) => string | undefined} place path in `folder` for an entry, or undefined: not wanted.
 * @returns {Promise<string[]>} the paths in `folder`.
 */
export async function unzip(archive, folder, place) {
  const file = await open(archive);
  try {
    const paths = [];
    for (const entry of await readDirectory(file)) {
      const path = place(entry.name);
      if (path === undefined) continue;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await extract(archive, await contentStart(file, entry), entry, join(folder, path));
      paths.push(path);
    }
    return paths;
  } finally {
    await file.close();
  }
}

/** @typedef {{ name: string, method: number, packedSize: number, offset: number, mode: number }} Entry */
/** @typedef {import('node:fs/promises').FileHandle} FileHandle */

/**
 * The central directory: the list of entries at the end of the archive.
 * @param {FileHandle} file
 * @returns {Promise<Entry[]>}
 */
async function readDirectory(file) {
  const { size } = await file.stat();
  const tail = await read(file, Math.max(0, size - END_SIZE - MAX_COMMENT), Math.min(size, END_SIZE + MAX_COMMENT));
  let end = tail.length - END_SIZE;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) throw new Error('not a zip archive, or cut short');

  const directory = await read(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  /** @type {Entry[]} */
  const entries = [];
  for (let at = 0; at < directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('the directory of the zip archive is damaged');
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      packedSize: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
      // Unix permissions stand in the upper half of the external attributes.
      mode: (directory.readUInt32LE(at + 38) >>> 16) & 0o777 || 0o644,
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * The entry's own header repeats its name and may have other extra fields than the directory says.
 * @param {FileHandle} file
 * @param {Entry} entry
 */
async function contentStart(file, { offset }) {
  const header = await read(file, offset, 30);
  return offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

/**
 * @param {string} archive
 * @param {number} start
 * @param {Entry} entry
 * @param {string} path
 */
async function extract(archive, start, { name, method, packedSize, mode }, path) {
  if (packedSize === 0) return writeFile(path, '', { mode });
  const packed = createReadStream(archive, { start, end: start + packedSize - 1, highWaterMark: CHUNK_BYTES });
  const target = createWriteStream(path, { mode, highWaterMark: CHUNK_BYTES });
  if (method === STORED) await pipeline(packed, target);
  else if (method === DEFLATED) await pipeline(packed, createInflateRaw({ chunkSize: CHUNK_BYTES }), target);
  else throw new Error(`${name} is packed by method ${method}, which is neither stored (0) nor deflated (8)`);
}

/**
 * @param {FileHandle} file
 * @param {number} position
 * @param {number} length
 */
async function read(file, position, length) {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error('the zip archive is cut short');
  return buffer;
}
