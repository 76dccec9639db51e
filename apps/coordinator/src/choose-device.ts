import { InputError } from '@nesgd/core/errors';
import type { Device, DeviceChoice, Precision, Runtime } from '@nesgd/core/protocol';
import { findCards } from '@nesgd/core/runtime';
import type { CoordinatorConfig } from './config.js';
import type { Watch } from './run-events.js';

export interface WantedDevice {
  readonly device: DeviceChoice;
  readonly engine: Runtime['engine'];
  readonly precision: Precision;
  /** On this machine; undefined: as many as it feeds. */
  readonly workers?: number | undefined;
}

/**
 * What a run computes on. `auto` takes cards where there are some that can be used, else the processor, and says why.
 * @throws InputError for `gpu` where nothing can compute on a card.
 */
export async function chooseDevice(
  wanted: WantedDevice,
  { cacheRoot, env }: Pick<CoordinatorConfig, 'cacheRoot' | 'env'>,
  watch: Watch,
): Promise<Device> {
  const { device, workers } = wanted;
  if (device === 'cpu') return 'cpu';
  const never = neverOnCard(wanted);
  // Whether those elsewhere have cards is for them to say.
  if (workers === 0 && device === 'gpu' && never === undefined) return 'gpu';
  const finding = never ?? (workers === 0 ? NOBODY_HERE : undefined);
  const found = finding === undefined ? await findCards(cacheRoot, env) : { usable: false as const, reason: finding };
  if (found.usable) return 'gpu';
  if (device === 'gpu') {
    throw new InputError('DEVICE', `runtime.device is gpu, but there is no card to compute on: ${found.reason}`);
  }
  // Of engine wasm its own notice says enough.
  if (wanted.engine === 'tensorflow') watch({ type: 'notice', text: `device cpu: ${found.reason}` });
  return 'cpu';
}

const NOBODY_HERE = 'this run has no workers here; --device gpu is for workers elsewhere that have cards';

function neverOnCard({ engine, precision }: WantedDevice): string | undefined {
  if (engine === 'wasm') return 'engine wasm computes on the processor';
  return precision === 'bfloat16' ? 'precision bfloat16 is for processors' : undefined;
}
