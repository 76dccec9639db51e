import { rngAt } from '../evolution/index.js';
import type { Outcome, Perform, Request } from './perform.js';

/**
 * A training whose right answer is known, for tests: one weight w, loss (w - TARGET)^2, an epoch is one step of gradient
 * descent, accuracy 1 - loss (not below 0). A learning rate of 1/2 reaches the target in one step, one of 1 stays as far
 * from it on the other side, a larger one diverges. The name of the weights is w itself.
 */
export const TARGET = 3;

export const accuracyOf = (w: number): number => Math.max(0, 1 - (w - TARGET) ** 2);

export class ToyProblem {
  /** Every round of requests, as it was asked. */
  readonly rounds: (readonly Request[])[] = [];
  epochs = 0;

  /** @param affordable trainings that the budget lasts for. */
  constructor(
    readonly startAt: (id: string) => number = (id) => rngAt(1, 'toy start', id).uniform() * 2,
    private affordable = Number.POSITIVE_INFINITY,
  ) {}

  readonly perform: Perform = async (requests) => {
    this.rounds.push(requests);
    return requests.map((request) => this.#answer(request));
  };

  #answer(request: Request): Outcome | undefined {
    if (request.kind === 'recombine') {
      const noise = request.noise * rngAt(1, 'toy noise', request.id).normal();
      const mean = request.parents.reduce((sum, parent) => sum + Number(parent), 0) / request.parents.length;
      return outcome(mean + noise);
    }
    if (this.affordable-- <= 0) return undefined;
    let w = request.weights === null ? this.startAt(request.initialOf ?? request.id) : Number(request.weights);
    for (let epoch = 0; epoch < request.epochs; epoch++) w -= request.hyperparameters.learningRate * 2 * (w - TARGET);
    this.epochs += request.epochs;
    return Math.abs(w) > 1e3 ? { accuracy: 0, weights: null } : outcome(w);
  }
}

const outcome = (w: number): Outcome => ({ accuracy: accuracyOf(w), weights: String(w) });

export async function collect<T>(steps: AsyncGenerator<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const step of steps) all.push(step);
  return all;
}
