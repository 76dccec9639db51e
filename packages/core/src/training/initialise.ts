import type { Rng } from '../evolution/rng.js';
import { type ParameterSpec, sizeOf } from './models/index.js';

/** Fresh values of a parameter, in PyTorch's layout. The stream advances by what they take. */
export function initialise(parameter: ParameterSpec, rng: Rng): Float32Array {
  const values = new Float32Array(sizeOf(parameter.shape));
  const { initial } = parameter;
  switch (initial.kind) {
    case 'constant':
      return values.fill(initial.value);
    case 'kaimingNormal':
      return rng.fillNormal(values, Math.sqrt(2 / initial.fanIn));
    case 'uniform': {
      const bound = 1 / Math.sqrt(initial.fanIn);
      for (let i = 0; i < values.length; i++) values[i] = (2 * rng.uniform() - 1) * bound;
      return values;
    }
  }
}
