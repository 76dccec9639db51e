import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { visibleCards } from './cards.js';

/** Vector and matrix instructions of x86 and Arm, as /proc/cpuinfo names them. */
const VECTOR_FLAG = /^(sse4|avx|fma|f16c|amx|asimd|sve|sme|bf16|i8mm)/;
const IDENTITY = ['vendor_id', 'cpu family', 'model', 'model name', 'cache size', 'CPU implementer', 'CPU part'];
const WIDEST = [
  ['avx512f', 'AVX-512'],
  ['avx2', 'AVX2'],
  ['avx', 'AVX'],
  ['sve', 'SVE'],
  ['asimd', 'NEON'],
] as const;

export interface Computing {
  readonly engine: 'tensorflow' | 'wasm';
  readonly device?: 'gpu' | undefined;
}

/**
 * Names the kind of processor or card that a job of this runtime is computed on here, where the bits of the result
 * depend on it: TensorFlow, oneDNN and our own operations choose by the instructions and caches they find in which
 * order they add. Equal names: equal bits. Undefined for WebAssembly, whose arithmetic is the same everywhere.
 */
export function computedOn({ engine, device }: Computing, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (engine === 'wasm') return undefined;
  if (device === 'gpu') return cardName(env);
  return processorKind(env);
}

const cardNames = new Map<string | undefined, string>();

/** Asked for once: nvidia-smi takes seconds on some machines, and holds up whoever waits for it. */
function cardName(env: NodeJS.ProcessEnv): string {
  const known = cardNames.get(env.CUDA_VISIBLE_DEVICES);
  if (known !== undefined) return known;
  const name = visibleCards(env).cards[0]?.name;
  if (name !== undefined) cardNames.set(env.CUDA_VISIBLE_DEVICES, name);
  return name ?? 'a card without a name';
}

/** `AMD EPYC, AVX2 (5f0c21aa)`: for people, and by its last digits for all that tells processors apart. */
export function processorKind(env: NodeJS.ProcessEnv = process.env, cpuinfo = '/proc/cpuinfo'): string {
  const about = firstProcessor(cpuinfo);
  const flags = (about.get('flags') ?? about.get('Features') ?? '').split(' ').filter((flag) => VECTOR_FLAG.test(flag));
  const model = about.get('model name') ?? cpus()[0]?.model ?? process.arch;
  // What oneDNN is told to do without is as if it were not there.
  // oneDNN goes by either name, our own operations by the first alone.
  const limit = [env.ONEDNN_MAX_CPU_ISA, env.DNNL_MAX_CPU_ISA];
  const all = JSON.stringify([process.arch, model, IDENTITY.map((key) => about.get(key)), flags.sort(), limit]);
  const widest = WIDEST.find(([flag]) => flags.includes(flag))?.[1];
  const digits = createHash('sha256').update(all).digest('hex').slice(0, 8);
  return `${[model.slice(0, 100), widest].filter(Boolean).join(', ')} (${digits})`;
}

/** `key : value` up to the first empty line; nothing where this is not Linux. */
function firstProcessor(path: string): ReadonlyMap<string, string> {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {}
  const [first = ''] = text.split('\n\n');
  return new Map(
    first.split('\n').map((line) => {
      const [key = '', ...value] = line.split(':');
      return [key.trim(), value.join(':').trim()];
    }),
  );
}
