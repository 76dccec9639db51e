import { InputError } from '@nesgd/core/errors';
import { processorHasBfloat16 } from '@nesgd/core/machine';
import { type Device, type DeviceChoice, type Precision, type Runtime, runtimeFrom } from '@nesgd/core/protocol';
import { detectEngines } from '@nesgd/core/runtime';
import { chooseDevice } from './choose-device.js';
import type { CoordinatorConfig } from './config.js';
import type { Watch } from './run-events.js';

export interface WantedRuntime {
  /** `--engine`: auto, tensorflow, wasm. */
  readonly engine: string;
  readonly threads: number;
  readonly precision: Precision;
  /** Not said: `auto`. */
  readonly device?: DeviceChoice | undefined;
  /** `--workers`; not said: as many as this machine feeds. */
  readonly workers?: number | undefined;
}

/**
 * What a run computes with. Engine `auto` takes TensorFlow where it is provisioned, else WebAssembly, and says so.
 * @throws InputError for what cannot be used here, with the reason.
 */
export async function chooseRuntime(
  wanted: WantedRuntime,
  config: Pick<CoordinatorConfig, 'cacheRoot' | 'env'>,
  watch: Watch,
): Promise<Runtime> {
  const engine = chooseEngine(wanted.engine, config.cacheRoot, watch);
  const { precision, device: choice = 'auto', workers } = wanted;
  const device = await chooseDevice({ device: choice, engine, precision, workers }, config, watch);
  checkPrecision(precision, engine, device);
  // The WebAssembly build computes on one thread, whatever is asked.
  return runtimeFrom(engine, engine === 'wasm' ? 1 : wanted.threads, { device, precision });
}

function chooseEngine(flag: string, cacheRoot: string, watch: Watch): Runtime['engine'] {
  if (flag !== 'auto' && flag !== 'tensorflow' && flag !== 'wasm') {
    throw new InputError('ENGINE_FLAG', `--engine ${flag}: wants auto, tensorflow or wasm`);
  }
  const engines = detectEngines(cacheRoot);
  if (flag === 'auto' && !engines.tensorflow.usable) {
    watch({
      type: 'notice',
      text: `engine wasm: ${engines.tensorflow.reason}; TensorFlow would train several times faster ("nesgd doctor" says how to get it)`,
    });
  }
  const engine = flag === 'auto' ? (engines.tensorflow.usable ? 'tensorflow' : 'wasm') : flag;
  const chosen = engines[engine];
  if (!chosen.usable) throw new InputError('ENGINE_MISSING', `engine ${engine} cannot be used here: ${chosen.reason}`);
  return engine;
}

function checkPrecision(precision: Precision, engine: Runtime['engine'], device: Device): void {
  const refuse = (why: string): never => {
    throw new InputError('PRECISION', `runtime.precision is ${precision}, ${why}: leave it at float32`);
  };
  if (precision === 'float32') return;
  if (engine === 'wasm') refuse('which engine wasm does not have');
  if (device === 'gpu') return;
  if (precision === 'tf32') refuse('which is for cards, and this run computes on the processor');
  if (!processorHasBfloat16()) refuse('for which this processor has no instructions (avx512_bf16 or amx_bf16)');
}
