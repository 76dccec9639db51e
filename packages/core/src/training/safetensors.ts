import { z } from 'zod';
import { CheckpointError } from '../errors.js';

/**
 * The safetensors format (github.com/huggingface/safetensors): 8 bytes of header length, a JSON header, then the
 * tensors' bytes, little-endian, in the order of their offsets and without holes.
 */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface StoredTensor {
  /** `F32`, `I64`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** A view of the file; rarely aligned for a typed array. */
  readonly bytes: Uint8Array;
}

/** Far above the header of any network here, far below what would hurt to parse. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const metadataSchema = z.record(z.string(), z.string());

/**
 * @param source how errors name the file.
 * @throws CheckpointError where the bytes are not a whole safetensors file.
 */
export function parseSafetensors(file: Uint8Array, source: string): SafetensorsFile {
  const refuse = (fault: string) => new CheckpointError(source, fault);
  if (file.length < 8) throw refuse(`it has ${file.length} bytes, a safetensors file at least 8`);
  const headerLength = new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true);
  const start = 8n + headerLength;
  if (headerLength > MAX_HEADER_BYTES || start > file.length) {
    throw refuse(
      `its header should have ${headerLength} bytes, the file has ${file.length}: it is cut short, or not a safetensors file`,
    );
  }
  const { __metadata__: metadata = {}, ...entries } = parseHeader(file.subarray(8, Number(start)), refuse);
  const parsedMetadata = metadataSchema.safeParse(metadata);
  if (!parsedMetadata.success) throw refuse('its __metadata__ is not an object of strings');

  const data = file.subarray(Number(start));
  const tensors = new Map<string, StoredTensor>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(entries)) {
    const parsed = tensorSchema.safeParse(value);
    if (!parsed.success) throw refuse(`the header's entry for ${name} wants dtype, shape and data_offsets`);
    const { dtype, shape, data_offsets } = parsed.data;
    const [begin, end] = data_offsets;
    if (begin > end) throw refuse(`the tensor ${name} ends (${end}) before it begins (${begin})`);
    ranges.push({ name, begin, end });
    tensors.set(name, { dtype, shape, bytes: data.subarray(begin, end) });
  }
  checkCoverage(ranges, data.length, refuse);
  return { tensors, metadata: parsedMetadata.data };
}

function parseHeader(bytes: Uint8Array, refuse: (fault: string) => CheckpointError): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw refuse('its header is not a JSON object');
  }
}

function checkCoverage(
  ranges: { name: string; begin: number; end: number }[],
  dataLength: number,
  refuse: (fault: string) => CheckpointError,
): void {
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ranges) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw refuse(`the tensor ${name} ${what}: it begins at ${begin}, not ${covered}`);
    }
    covered = end;
  }
  if (covered !== dataLength) {
    const what = covered > dataLength ? 'the file is cut short' : 'the file is too long';
    throw refuse(`its tensors take ${covered} bytes and ${dataLength} are there: ${what}`);
  }
}

/**
 * Writes float32 tensors, sorted by name, and nothing that varies between runs: the same content gives the same bytes.
 */
export function formatSafetensors(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = {
    __metadata__: Object.fromEntries(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  let offset = 0;
  for (const [name, { shape, values }] of sorted) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + 4 * values.length] };
    offset += 4 * values.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  // The format asks for spaces up to a multiple of 8, so that readers can map the data.
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let at = 8 + headerLength;
  for (const [, { values }] of sorted) {
    for (const value of values) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return file;
}

/** The values of a tensor of dtype F32. */
export function float32Values({ bytes }: StoredTensor): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
