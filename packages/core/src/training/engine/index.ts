import { EngineUnavailableError } from '../../errors.js';
import { type Means, ORDINARY_MEANS } from '../../protocol/index.js';
import type { Engine, EngineName } from './engine.js';

export type * from './engine.js';

/** Best first: what `engine: auto` takes is the first that runs. */
export const ENGINE_NAMES = ['tensorflow', 'wasm'] as const satisfies readonly EngineName[];

/**
 * @param threads of one operation; results depend on it, and a process cannot change it later.
 * @throws EngineUnavailableError where it cannot run here.
 */
export async function createEngine(name: EngineName, threads: number, means: Means = ORDINARY_MEANS): Promise<Engine> {
  // Loaded only when asked for: each is large, and one may be missing.
  if (name === 'tensorflow') return (await import('./tensorflow/index.js')).createTensorFlowEngine(threads, means);
  if (means.device !== 'cpu' || means.precision !== 'float32') {
    throw new EngineUnavailableError(
      name,
      `it computes in float32 on the processor, not in ${means.precision} (${means.device})`,
    );
  }
  return (await import('./wasm/index.js')).createWasmEngine(threads);
}

/** Every engine that runs here, each loaded into this process, and TensorFlow's also as on a card: what tests run on. */
export async function availableEngines(threads = 1): Promise<Engine[]> {
  const engines: Engine[] = [];
  for (const name of ENGINE_NAMES) {
    try {
      engines.push(await createEngine(name, threads));
      if (name !== 'tensorflow') continue;
      engines.push((await import('./tensorflow/index.js')).createTensorFlowEngine(threads, { plain: true }));
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
    }
  }
  return engines;
}
