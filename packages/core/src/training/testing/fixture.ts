import { readFileSync } from 'node:fs';

export interface FixtureTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What `test/oracle/training_fixtures.py` computed with PyTorch; `Config` is what it computed it of. */
export interface Fixture<Config> {
  readonly config: Config;
  tensor(name: string): FixtureTensor;
  ints(name: string): Int32Array;
  /** The float tensors whose names begin with `prefix`, under the rest of their names. */
  withPrefix(prefix: string): Map<string, Float32Array>;
}

interface Entry {
  readonly dtype: 'F32' | 'I32';
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function readFixture<Config>(name: string): Fixture<Config> {
  const file = readFileSync(new URL(`../fixtures/${name}.safetensors`, import.meta.url));
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd)) as Record<string, Entry>;
  const { __metadata__: metadata, ...entries } = header;
  const bytes = (key: string, dtype: Entry['dtype']): ArrayBuffer => {
    const entry = entries[key];
    if (entry?.dtype !== dtype) throw new Error(`${name} has no ${dtype} tensor ${key}`);
    const [from, to] = entry.data_offsets;
    return new Uint8Array(file.subarray(headerEnd + from, headerEnd + to)).buffer;
  };
  const floats = (key: string) => new Float32Array(bytes(key, 'F32'));
  return {
    config: JSON.parse((metadata as unknown as { config: string }).config) as Config,
    tensor: (key) => ({ values: floats(key), shape: entries[key]!.shape }),
    ints: (key) => new Int32Array(bytes(key, 'I32')),
    withPrefix: (prefix) => {
      const keys = Object.keys(entries).filter((key) => key.startsWith(prefix));
      return new Map(keys.map((key) => [key.slice(prefix.length), floats(key)]));
    },
  };
}
