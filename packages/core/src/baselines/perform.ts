/**
 * The port through which a rival of NE-SGD reaches the world (a queue, a toy function in a test), as `Evaluate` is NE-SGD's.
 * Weights are names (a SHA-256); what they hold is no business of a method.
 *
 * Methods are replayed: after a kill the generator starts anew and what was measured before is answered from the journal.
 * So a method may depend on its parameters and on outcomes alone, and must ask the same again in the same order.
 */

export interface Hyperparameters {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

/** Train a network by SGD. Velocities start at zero. */
export interface TrainRequest {
  readonly kind: 'train';
  /** Unique in the run: names the draws of this training. */
  readonly id: string;
  /** Where it starts; null: random weights. */
  readonly weights: string | null;
  /** Random weights are those that the training of this id starts from; left out, draws of its own. */
  readonly initialOf?: string;
  /** Passes over the training images, at least 1. */
  readonly epochs: number;
  readonly hyperparameters: Hyperparameters;
  /** `whole`: the schedule of the settings runs over these epochs; `constant`: the learning rate stays as it is. */
  readonly schedule: 'whole' | 'constant';
  /** Weights are worth storing above this accuracy; null: always. */
  readonly keepWeightsAbove: number | null;
}

/** The mean of networks, with noise added, measured. Trains nothing, so it is charged nothing. */
export interface RecombineRequest {
  readonly kind: 'recombine';
  readonly id: string;
  /** One or more; one named twice counts twice. */
  readonly parents: readonly string[];
  /** Standard deviation of the Gaussian noise on every trainable parameter. */
  readonly noise: number;
}

export type Request = TrainRequest | RecombineRequest;

export interface Outcome {
  /** On the split that fitness is measured on, in [0, 1]; higher is better. */
  readonly accuracy: number;
  /** Null where they were not stored: the training diverged, or was not worth it. */
  readonly weights: string | null;
}

/**
 * Resolves to one outcome a request, in their order. Undefined where the run's budget left nothing for a request; a
 * training may also have been given fewer epochs than it asked for, the budget's rest.
 */
export type Perform = (requests: readonly Request[]) => Promise<readonly (Outcome | undefined)[]>;

/** A network that a method has at hand. */
export interface Member extends Outcome {
  /** Of the request that made it. */
  readonly id: string;
}

/** What a method yields when a round of requests is over. Plain data. */
export interface Step {
  /** Rounds closed, from 1. */
  readonly t: number;
  /** What the method goes on with; the weights of all others may be thrown away, except `best`'s. */
  readonly population: readonly Member[];
  /** The most accurate network so far whose weights are there; of equals, the first. Null while there is none. */
  readonly best: Member | null;
}

/** The most accurate of those whose weights are there; of equals, the first. */
export function bestOf(members: readonly (Member | null)[]): Member | null {
  let best: Member | null = null;
  for (const member of members) {
    if (member?.weights && (!best || member.accuracy > best.accuracy)) best = member;
  }
  return best;
}

/** Positions, most accurate first; of equals, the first. */
export function mostAccurateFirst(members: readonly Outcome[]): number[] {
  return [...members.keys()].sort((i, j) => members[j]!.accuracy - members[i]!.accuracy || i - j);
}
