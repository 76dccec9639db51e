import { EvaluationError } from '../errors.js';
import { type Evaluate, type EvaluationContext, type Individual, type Mask, maskToString } from './individual.js';

/**
 * Calls the `Evaluate` port and holds it to its word, so that a faulty adapter cannot mislead the search unnoticed.
 * @throws EvaluationError unless each mask comes back in its place with a fitness in [0, 1].
 */
export async function measure(
  evaluate: Evaluate,
  genomes: readonly { readonly mask: Mask }[],
  context: EvaluationContext,
): Promise<readonly Individual[]> {
  const masks = genomes.map(({ mask }) => mask);
  const individuals = await evaluate(masks, context);
  if (individuals.length !== masks.length) {
    throw new EvaluationError(`${masks.length} masks were given, ${individuals.length} individuals came back`);
  }
  individuals.forEach(({ mask, fitness }, i) => {
    const [got, wanted] = [maskToString(mask), maskToString(masks[i]!)];
    if (got !== wanted)
      throw new EvaluationError(`individual ${i} has the mask ${got}, but ${wanted} was given in its place`);
    if (!(fitness >= 0 && fitness <= 1)) {
      throw new EvaluationError(`the fitness of ${got} is ${fitness}, but an accuracy is from 0 to 1`);
    }
  });
  return individuals;
}
