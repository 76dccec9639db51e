import crc32c from 'crc-32/crc32c.js';
import { PbfWriter } from 'pbf';

/** One number of a curve, as TensorBoard's scalars have it. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * TensorBoard's event file: TFRecords (length, its checksum, data, its checksum), each an `Event` of TensorFlow's
 * event.proto. The first names the format. The same scalars give the same bytes.
 */
export function eventFile(scalars: readonly Scalar[]): Uint8Array {
  const first = new PbfWriter();
  first.writeDoubleField(EVENT.wallTime, (scalars[0]?.at ?? 0) / 1000);
  first.writeStringField(EVENT.fileVersion, 'brain.Event:2');
  return Buffer.concat([record(first.finish()), ...scalars.map((scalar) => record(event(scalar)))]);
}

/** Field numbers of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2 } as const;

function event(scalar: Scalar): Uint8Array {
  const writer = new PbfWriter();
  writer.writeDoubleField(EVENT.wallTime, scalar.at / 1000);
  if (scalar.step > 0) writer.writeVarintField(EVENT.step, scalar.step); // Zeros go without saying in proto3.
  writer.writeMessage(EVENT.summary, writeSummary, scalar);
  return writer.finish();
}

const writeSummary = (scalar: Scalar, writer: PbfWriter) => writer.writeMessage(SUMMARY.value, writeValue, scalar);

function writeValue({ tag, value }: Scalar, writer: PbfWriter): void {
  writer.writeStringField(VALUE.tag, tag);
  writer.writeFloatField(VALUE.simpleValue, value);
}

function record(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(8 + 4 + data.length + 4);
  bytes.writeBigUInt64LE(BigInt(data.length), 0);
  bytes.writeUInt32LE(maskedChecksum(bytes.subarray(0, 8)), 8);
  bytes.set(data, 12);
  bytes.writeUInt32LE(maskedChecksum(data), 12 + data.length);
  return bytes;
}

/** CRC-32C, rotated and shifted, as TFRecords have it: a checksum of data that holds checksums would be weak. */
function maskedChecksum(data: Uint8Array): number {
  const crc = crc32c.buf(data) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
