import { InputError } from '../errors.js';
import type { Fact, GenerationFact, JournalLine } from '../run/index.js';

/**
 * A journal as a view gets it, line by line. Every figure is the journal's own; only the repetitions are gone: a
 * generation names its individuals by their number instead of writing their masks out, which makes it thirty times
 * smaller.
 */
export interface ViewLine {
  readonly seq: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Who did it and in how many seconds, where somebody did. */
  readonly worker?: string;
  /** Its engine: library, version, device, threads. */
  readonly engine?: string;
  /** The kind of processor or card that it was computed on, where bits depend on it. */
  readonly processor?: string;
  readonly seconds?: number;
  /** Known from an earlier run. */
  readonly reused?: boolean;
  /** Why an individual was given up. */
  readonly reason?: string;
  readonly fact: ViewFact;
}

export type ViewFact = Exclude<Fact, GenerationFact> | GenerationView;

/** An individual by its number: how many facts `evaluated`, `failed` and `trained` the journal has before its own. */
export type IndividualNumber = number;

export interface GenerationView extends Pick<GenerationFact, 't' | 'nabla' | 'lineage' | 'clusters' | 'suppressed'> {
  readonly type: 'generation';
  readonly best: IndividualNumber;
  readonly parents: readonly IndividualNumber[];
  readonly offspring: readonly IndividualNumber[];
  readonly pool: readonly IndividualNumber[];
}

/**
 * Turns the lines of one journal, in order, into those of its view.
 * @throws InputError for a generation with an individual that was never evaluated.
 */
export class ViewLines {
  /** The last evaluation of a mask with that accuracy. */
  readonly #numbers = new Map<string, IndividualNumber>();
  #individuals = 0;

  next({ seq, meta, fact }: JournalLine): ViewLine {
    const { at, provenance, reused, reason } = meta;
    return {
      seq,
      at,
      ...(provenance && { ...provenance }),
      ...(reused !== undefined && { reused }),
      ...(reason !== undefined && { reason }),
      fact: this.#view(fact),
    };
  }

  #view(fact: Fact): ViewFact {
    if (fact.type === 'generation') return this.#generation(fact);
    if (fact.type === 'evaluated') this.#count(fact.mask, fact.accuracy);
    if (fact.type === 'failed') this.#count(fact.mask, 0); // What an individual that was given up counts as.
    if (fact.type === 'trained') this.#individuals += 1;
    return fact;
  }

  #count(mask: string, fitness: number): void {
    this.#numbers.set(key(mask, fitness), this.#individuals);
    this.#individuals += 1;
  }

  #generation({ type, t, nabla, lineage, clusters, suppressed, ...individuals }: GenerationFact): GenerationView {
    return {
      type,
      t,
      nabla,
      lineage,
      clusters,
      suppressed,
      best: this.#number(individuals.best),
      parents: individuals.parents.map((individual) => this.#number(individual)),
      offspring: individuals.offspring.map((individual) => this.#number(individual)),
      pool: individuals.pool.map((individual) => this.#number(individual)),
    };
  }

  #number({ mask, fitness }: GenerationFact['best']): IndividualNumber {
    const number = this.#numbers.get(key(mask.join(''), fitness));
    if (number === undefined)
      throw new InputError('JOURNAL', `a generation holds ${mask.join('')} with ${fitness}, which no evaluation gave`);
    return number;
  }
}

function key(mask: string, accuracy: number): string {
  return `${mask}/${accuracy}`;
}
