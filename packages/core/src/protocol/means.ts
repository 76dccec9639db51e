import { z } from 'zod';

/** What computes a job besides its engine, where it is another thing than a processor in float32. */

export type Device = 'cpu' | 'gpu';
/** `auto`: cards where there are some that TensorFlow can use, else the processor. */
export const DEVICE_CHOICES = ['auto', 'cpu', 'gpu'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

/**
 * What convolutions multiply in. `bfloat16`: rounded operands on a processor that has instructions for them. `tf32`: what
 * NVIDIA's tensor cores make of float32, 10 bits of mantissa instead of 23. Sums are float32 in each.
 */
export const PRECISIONS = ['float32', 'bfloat16', 'tf32'] as const;
export type Precision = (typeof PRECISIONS)[number];

/**
 * What the bits of a result depend on besides the job: fixed for a run, so that every worker gives the same. What is
 * ordinary is left out, never written: then one runtime has one form, and jobs keep their hash.
 */
export const runtimeSchema = z.strictObject({
  engine: z.enum(['tensorflow', 'wasm']),
  /** Threads of one operation: sums are ordered by thread. */
  threads: z.int().positive().max(1024),
  /** A card sums in another order than a processor. Absent: a processor. */
  device: z.literal('gpu').exactOptional(),
  /** Absent: float32. */
  precision: z.enum(['bfloat16', 'tf32']).exactOptional(),
});
export type Runtime = z.infer<typeof runtimeSchema>;

export interface Means {
  readonly device: Device;
  readonly precision: Precision;
}

export const ORDINARY_MEANS: Means = { device: 'cpu', precision: 'float32' };

export const meansOf = ({ device, precision }: Runtime): Means => ({
  device: device ?? ORDINARY_MEANS.device,
  precision: precision ?? ORDINARY_MEANS.precision,
});

/** The runtime in its one form. */
export function runtimeFrom(engine: Runtime['engine'], threads: number, { device, precision }: Means): Runtime {
  return {
    engine,
    threads,
    ...(device === 'gpu' && { device }),
    ...(precision !== 'float32' && { precision }),
  };
}

export function sameRuntime(a: Runtime, b: Runtime): boolean {
  return a.engine === b.engine && a.threads === b.threads && a.device === b.device && a.precision === b.precision;
}

/** For messages: `tensorflow with 2 threads on a processor, bfloat16`. */
export function describeRuntime({ engine, threads, device, precision }: Runtime): string {
  const where = device === 'gpu' ? 'on a card' : 'on a processor';
  return `${engine} with ${threads} ${threads === 1 ? 'thread' : 'threads'} ${where}${precision ? `, ${precision}` : ''}`;
}
