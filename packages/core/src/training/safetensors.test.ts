import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { float32Values, formatSafetensors, parseSafetensors } from './safetensors.js';

const tensors = new Map([
  ['b', { shape: [2, 2], values: Float32Array.of(1, -2, 3.5, 1e-30) }],
  ['a', { shape: [], values: Float32Array.of(7) }],
]);
const file = formatSafetensors(tensors, { model: 'x', format: 'pt' });

/** A file of any header and `dataBytes` zeros. */
function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}
const entry = (begin: number, end: number) => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});

describe('formatSafetensors', () => {
  it('is read back as it was', () => {
    const parsed = parseSafetensors(file, 'test');
    expect(parsed.metadata).toEqual({ format: 'pt', model: 'x' });
    expect([...parsed.tensors.keys()]).toEqual(['a', 'b']);
    expect(parsed.tensors.get('b')).toMatchObject({ dtype: 'F32', shape: [2, 2] });
    expect(float32Values(parsed.tensors.get('b')!)).toEqual(tensors.get('b')!.values);
  });

  it('gives the same bytes whatever order things come in', () => {
    expect(formatSafetensors(new Map([...tensors].reverse()), { format: 'pt', model: 'x' })).toEqual(file);
  });

  it('has the bytes that the reference implementation writes for the same content', () => {
    // safetensors.numpy.save({'a': np.float32(7)}, {'format': 'pt'}) of safetensors 0.8
    const reference =
      '58000000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c2261223a7b226474797065223a22463332222c227368617065223a5b5d2c22646174615f6f666673657473223a5b302c345d7d7d202020200000e040';
    const ours = formatSafetensors(new Map([['a', { shape: [], values: Float32Array.of(7) }]]), { format: 'pt' });
    expect(Buffer.from(ours).toString('hex')).toBe(reference);
  });
});

describe('parseSafetensors refuses', () => {
  it.each([
    ['an empty file', new Uint8Array(0), /it has 0 bytes/],
    ['a file cut short in the header', file.subarray(0, 40), /cut short/],
    [
      'a file cut short in the data',
      file.subarray(0, file.length - 1),
      /20 bytes and 19 are there: the file is cut short/,
    ],
    ['bytes after the last tensor', new Uint8Array([...file, 0]), /too long/],
    ['a huge header', fileOf('x'.repeat(17 * 1024 * 1024), 0), /its header should have/],
    [
      'a header length beyond all numbers',
      new Uint8Array(16).fill(0xff),
      /its header should have 18446744073709551615/,
    ],
    ['a header that is not JSON', fileOf('{"a"', 0), /not a JSON object/],
    ['a header that is no object', fileOf([1], 0), /not a JSON object/],
    ['metadata that are not strings', fileOf({ __metadata__: { a: 1 } }, 0), /__metadata__/],
    ['an entry without a dtype', fileOf({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /entry for a/],
    ['a negative dimension', fileOf({ a: { ...entry(0, 4), shape: [-1] } }, 4), /entry for a/],
    ['offsets the wrong way round', fileOf({ a: { ...entry(4, 4), data_offsets: [4, 0] } }, 4), /a ends \(0\) before/],
    ['overlapping tensors', fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12), /b overlaps the tensor before it/],
    ['a hole between tensors', fileOf({ a: entry(0, 4), b: entry(8, 12) }, 12), /b leaves a hole before it/],
    ['a tensor beyond the end', fileOf({ a: entry(0, 1000) }, 4), /cut short/],
  ])('%s', (_what, bytes, message) => {
    const read = () => parseSafetensors(bytes, 'alpha.safetensors');
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(/^alpha\.safetensors is no usable checkpoint: /);
    expect(read).toThrow(message);
  });
});
