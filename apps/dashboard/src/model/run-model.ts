import type { GenerationView, IndividualNumber, ViewFact, ViewLine } from '@nesgd/core/view';

type FactOf<T extends ViewFact['type']> = Extract<ViewFact, { type: T }>;

/** One evaluated individual. Its number is its place in the order in which results arrived. */
export interface Individual {
  readonly number: IndividualNumber;
  readonly mask: string;
  readonly accuracy: number;
  readonly curve: FactOf<'evaluated'>['curve'];
  readonly imagesTrained: number;
  /** 0, or the generation in which this genome was measured anew. */
  readonly repeat: number;
  readonly at: string;
  readonly worker: string | undefined;
  readonly seconds: number | undefined;
}

/** A run as far as its journal goes. Lines are added in order; nothing is ever taken back. */
export class RunModel {
  opened: FactOf<'opened'> | undefined;
  startedAt = '';
  lastFactAt = '';
  alpha: (FactOf<'alpha'> & Pick<ViewLine, 'worker' | 'seconds' | 'reused'>) | undefined;
  finished: FactOf<'finished'> | undefined;
  readonly tested = new Map<'alpha' | 'best', number>();
  readonly individuals: Individual[] = [];
  readonly generations: GenerationView[] = [];
  /** The individual with the highest accuracy so far; of equals, the first. */
  leader: Individual | undefined;
  imagesTrained = 0;
  epochsTrained = 0;
  #length = 0;

  /** Lines taken. */
  get length(): number {
    return this.#length;
  }

  add(line: ViewLine): void {
    this.#length += 1;
    this.startedAt ||= line.at;
    this.lastFactAt = line.at;
    const { fact } = line;
    switch (fact.type) {
      case 'opened':
        this.opened = fact;
        break;
      case 'alpha': {
        const { worker, seconds, reused } = line;
        this.alpha = {
          ...fact,
          ...(worker !== undefined && { worker }),
          ...(seconds !== undefined && { seconds }),
          ...(reused !== undefined && { reused }),
        };
        this.#spend(fact);
        break;
      }
      case 'evaluated':
        this.#addIndividual(line, fact);
        this.#spend(fact);
        break;
      case 'trained': // By a method without masks, whose networks are no individuals.
        this.#spend(fact);
        break;
      case 'generation':
        this.generations.push(fact);
        break;
      case 'tested':
        this.tested.set(fact.which, fact.accuracy);
        break;
      case 'finished':
        this.finished = fact;
    }
  }

  #addIndividual({ at, worker, seconds }: ViewLine, fact: FactOf<'evaluated'>): void {
    const { mask, accuracy, curve, imagesTrained, repeat } = fact;
    const number = this.individuals.length;
    const individual = { number, mask, accuracy, curve, imagesTrained, repeat, at, worker, seconds };
    this.individuals.push(individual);
    if (!this.leader || accuracy > this.leader.accuracy) this.leader = individual;
  }

  #spend({ curve, imagesTrained }: { curve: readonly unknown[]; imagesTrained: number }): void {
    this.epochsTrained += curve.length;
    this.imagesTrained += imagesTrained;
  }

  /** @throws RangeError for a number that no individual has: generations name only those before them. */
  individual(number: IndividualNumber): Individual {
    const individual = this.individuals[number];
    if (!individual) throw new RangeError(`there is no individual ${number}`);
    return individual;
  }

  /** The winner; before the end the best of the closed generations, before the first closes the leader. */
  get best(): { readonly mask: string; readonly accuracy: number } | undefined {
    if (this.finished) return this.finished.best;
    const closed = this.generations.at(-1);
    return closed ? this.individual(closed.best) : this.leader;
  }
}
