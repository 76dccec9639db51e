import { constants, inflateSync, type ZlibOptions } from 'node:zlib';
import { InputError } from '../../errors.js';

/**
 * Numeric arrays of a MATLAB level 5 MAT-file, as MathWorks' "MAT-File Format" describes it: a header of 128 bytes, then
 * data elements, each a tag (type, length) and its data, most of them compressed by zlib. Nothing but real numeric arrays is
 * read; everything else in the file is skipped.
 */
export interface MatArray {
  readonly name: string;
  /** Column-major: the first dimension changes fastest. */
  readonly shape: readonly number[];
  readonly values: MatValues;
}

export type MatValues =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

const MATRIX = 14;
const COMPRESSED = 15;

/** Numbers are stored in any type that holds them, whatever the array's class: doubles often as bytes. */
const NUMERIC: Readonly<Record<number, { bytes: number; view: new (buffer: ArrayBuffer) => MatValues }>> = {
  1: { bytes: 1, view: Int8Array },
  2: { bytes: 1, view: Uint8Array },
  3: { bytes: 2, view: Int16Array },
  4: { bytes: 2, view: Uint16Array },
  5: { bytes: 4, view: Int32Array },
  6: { bytes: 4, view: Uint32Array },
  7: { bytes: 4, view: Float32Array },
  9: { bytes: 8, view: Float64Array },
};

/** mxDOUBLE_CLASS to mxUINT32_CLASS. */
const NUMERIC_CLASSES = { first: 6, last: 13 };
const COMPLEX_FLAG = 0x08;

/** An array in memory; more is damage, or made to fill it. */
const LARGEST_ARRAY = 2 ** 31;

/** Compressed bytes whose inflated ones hold an array's flags, dimensions and name. */
const START_BYTES = 1024;

/**
 * @param wanted names of the arrays to read.
 * @param where for messages.
 * @returns those that are there.
 * @throws InputError `DATASET_MAT` for a file that is cut short, damaged, no such file, or larger inside than it says.
 */
export function readMatFile(content: Buffer, wanted: ReadonlySet<string>, where: string): MatArray[] {
  try {
    checkHeader(content);
    const arrays: MatArray[] = [];
    for (let at = 128; at < content.length; ) {
      const element = elementAt(content, at);
      // Compressed elements are not padded.
      at = element.type === COMPRESSED ? element.to : Math.min(element.next, content.length);
      if (element.type !== MATRIX && element.type !== COMPRESSED) continue;
      const data = content.subarray(element.from, element.to);
      const array = element.type === COMPRESSED ? compressedArray(data, wanted) : arrayOf(data, wanted);
      if (array) arrays.push(array);
    }
    return arrays;
  } catch (cause) {
    throw new InputError('DATASET_MAT', `${where}: ${(cause as Error).message}. Fetch it again`, false, { cause });
  }
}

function checkHeader(content: Buffer): void {
  if (content.length < 128) throw new Error(`is cut short: ${content.length} bytes, but the header alone has 128`);
  const mark = content.toString('latin1', 126, 128);
  const version = content.readUInt16LE(124);
  if (mark === 'IM' && version === 0x0100) return;
  const got = mark === 'MI' ? 'a big-endian one' : version === 0x0200 ? 'version 7.3 (HDF5)' : 'something else';
  throw new Error(`is no little-endian MATLAB file of version 5 to 7, but ${got}`);
}

interface Element {
  readonly type: number;
  readonly from: number;
  readonly to: number;
  /** Where the next one begins: at a multiple of 8. */
  readonly next: number;
}

function elementAt(content: Buffer, at: number): Element {
  if (at + 8 > content.length) throw new Error('is cut short inside an element');
  const word = content.readUInt32LE(at);
  // Up to four bytes stand in the tag itself, whose upper half is then their number.
  const small = word >>> 16;
  const from = small > 0 ? at + 4 : at + 8;
  const length = small > 0 ? small : content.readUInt32LE(at + 4);
  const to = from + length;
  if (small > 4 || to > content.length)
    throw new Error(`is cut short or damaged: an element of ${length} bytes ends beyond it`);
  return { type: word & 0xffff, from, to, next: small > 0 ? at + 8 : from + 8 * Math.ceil(length / 8) };
}

function compressedArray(data: Buffer, wanted: ReadonlySet<string>): MatArray | undefined {
  // The beginning says how much there is to be, before any of it takes memory.
  const start = inflateChecked(data.subarray(0, START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  if (start.length < 8 || start.readUInt32LE(0) !== MATRIX)
    throw new Error('is damaged: a compressed element is no array');
  const length = start.readUInt32LE(4);
  const head = headOf(start.subarray(8), length);
  if (!head || !wanted.has(head.name)) return undefined;
  const inflated = inflateChecked(data, { maxOutputLength: 8 + length });
  return arrayOf(inflated.subarray(8), wanted);
}

function inflateChecked(data: Buffer, options: ZlibOptions): Buffer {
  try {
    return inflateSync(data, options);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const tooLarge = `is damaged: an array inflates to more than the ${options.maxOutputLength} bytes that it names`;
    throw new Error(
      code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge : `is cut short or damaged: a compressed array: ${message}`,
    );
  }
}

interface Head {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: number;
  /** Where the values' element begins. */
  readonly at: number;
}

/**
 * @param data of an array, or its beginning.
 * @param length of the whole array in bytes.
 * @returns undefined for what is no real numeric array.
 */
function headOf(data: Buffer, length: number): Head | undefined {
  const flags = elementAt(data, 0);
  if (flags.to - flags.from !== 8) throw new Error('is damaged: an array has no flags');
  const word = data.readUInt32LE(flags.from);
  const kind = word & 0xff;
  if (kind < NUMERIC_CLASSES.first || kind > NUMERIC_CLASSES.last || (word >>> 8) & COMPLEX_FLAG) return undefined;
  const dimensions = elementAt(data, flags.next);
  const shape = Array.from({ length: (dimensions.to - dimensions.from) / 4 }, (_, i) =>
    data.readInt32LE(dimensions.from + 4 * i),
  );
  const nameElement = elementAt(data, dimensions.next);
  const name = data.toString('latin1', nameElement.from, nameElement.to);
  const values = shape.reduce((product, n) => product * n, 1);
  if (shape.some((n) => n < 0) || values > length || length > LARGEST_ARRAY) {
    throw new Error(`is damaged: array ${name} is ${shape.join('x')} in ${length} bytes`);
  }
  return { name, shape, values, at: nameElement.next };
}

function arrayOf(data: Buffer, wanted: ReadonlySet<string>): MatArray | undefined {
  const head = headOf(data, data.length);
  if (!head || !wanted.has(head.name)) return undefined;
  const element = elementAt(data, head.at);
  const numeric = NUMERIC[element.type];
  if (!numeric) throw new Error(`is damaged: array ${head.name} holds values of type ${element.type}`);
  const got = (element.to - element.from) / numeric.bytes;
  if (got !== head.values) {
    throw new Error(`is damaged: array ${head.name} is ${head.shape.join('x')}, but holds ${got} values`);
  }
  const bytes = data.buffer as ArrayBuffer;
  const from = data.byteOffset + element.from;
  if (numeric.view === Uint8Array) {
    return { name: head.name, shape: head.shape, values: new Uint8Array(bytes, from, got) };
  }
  // A copy: elements of 8 bytes need not stand at a multiple of 8 in memory.
  const values = new numeric.view(bytes.slice(from, from + got * numeric.bytes));
  return { name: head.name, shape: head.shape, values };
}
