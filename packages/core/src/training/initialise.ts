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
    case 'normal':
      return rng.fillNormal(values, initial.std);
    case 'xavierUniform':
      return fillUniform(values, Math.sqrt(6 / (initial.fanIn + initial.fanOut)), rng);
    case 'uniform':
      return fillUniform(values, 1 / Math.sqrt(initial.fanIn), rng);
  }
}

/** Uniform in +-bound. */
function fillUniform(values: Float32Array, bound: number, rng: Rng): Float32Array {
  for (let i = 0; i < values.length; i++) values[i] = (2 * rng.uniform() - 1) * bound;
  return values;
}
