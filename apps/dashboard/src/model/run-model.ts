import type { GenerationView, IndividualNumber, ViewFact, ViewLine } from '@nesgd/core/view';

type FactOf<T extends ViewFact['type']> = Extract<ViewFact, { type: T }>;

/** One network that was trained and measured. Its number is its place in the order in which results arrived. */
export interface Individual {
  readonly number: IndividualNumber;
  /** Empty where the method has no masks. */
  readonly mask: string;
  /** For people: the mask, or what the method calls it. */
  readonly name: string;
  /** Of a method without masks: the round of requests that it was of, from 1. */
  readonly round: number | undefined;
  /** 0 where it was given up. */
  readonly accuracy: number;
  readonly curve: FactOf<'evaluated'>['curve'];
  readonly imagesTrained: number;
  readonly at: string;
  readonly worker: string | undefined;
  readonly engine: string | undefined;
  readonly seconds: number | undefined;
  /** Why it was given up, if it was. */
  readonly failure: string | undefined;
}

type Measured = Pick<Individual, 'mask' | 'name' | 'accuracy' | 'curve' | 'imagesTrained'> & {
  readonly round?: number;
};

/** A run as far as its journal goes. Lines are added in order; nothing is ever taken back. */
export class RunModel {
  /** The server's name of the journal; undefined before the first answer. */
  journal: string | undefined;
  opened: FactOf<'opened'> | undefined;
  startedAt = '';
  lastFactAt = '';
  alpha: (FactOf<'alpha'> & Pick<ViewLine, 'worker' | 'engine' | 'seconds' | 'reused'>) | undefined;
  finished: FactOf<'finished'> | undefined;
  /** What left the numbers, and what to change. */
  divergence: string | undefined;
  readonly tested = new Map<'alpha' | 'best', number>();
  readonly individuals: Individual[] = [];
  readonly generations: GenerationView[] = [];
  /** What a method without masks has instead of generations. */
  readonly steps: FactOf<'step'>[] = [];
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
        const { worker, engine, seconds, reused } = line;
        this.alpha = {
          ...fact,
          ...(worker !== undefined && { worker }),
          ...(engine !== undefined && { engine }),
          ...(seconds !== undefined && { seconds }),
          ...(reused !== undefined && { reused }),
        };
        this.#spend(fact);
        break;
      }
      case 'evaluated':
        this.#addIndividual(line, { ...fact, name: fact.mask });
        this.#spend(fact);
        break;
      case 'failed':
        this.#addIndividual(line, { ...GIVEN_UP, mask: fact.mask, name: fact.mask }, true);
        break;
      case 'trained':
        this.#addIndividual(line, { ...fact, mask: '', name: fact.id }, fact.failed);
        this.#spend(fact);
        break;
      case 'generation':
        this.generations.push(fact);
        break;
      case 'step':
        this.steps.push(fact);
        break;
      case 'tested':
        this.tested.set(fact.which, fact.accuracy);
        break;
      case 'diverged':
        this.divergence = fact.reason;
        break;
      case 'finished':
        this.finished = fact;
    }
  }

  #addIndividual(
    { at, worker, engine, seconds, reason }: ViewLine,
    { mask, name, round, accuracy, curve, imagesTrained }: Measured,
    isGivenUp = false,
  ): void {
    const number = this.individuals.length;
    const failure = isGivenUp ? (reason ?? 'its trainers died') : undefined;
    const measured = { mask, name, round, accuracy, curve, imagesTrained };
    const individual: Individual = { number, ...measured, at, worker, engine, seconds, failure };
    this.individuals.push(individual);
    if (failure === undefined && !(this.leader && accuracy <= this.leader.accuracy)) this.leader = individual;
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

  /** Its rounds in the order in which they were closed, whatever the method calls them, with those that it goes on with. */
  get populations(): readonly Population[] {
    if (!this.searchesMasks)
      return this.steps.map(({ t, population }) => {
        const members = population.map(({ id, accuracy }) => ({ name: id, accuracy }));
        return { t, members, nabla: rangeOf(members) };
      });
    return this.generations.map(({ t, parents, nabla }) => ({
      t,
      members: parents.map((number) => this.individual(number)),
      nabla,
    }));
  }

  /** The winner; before the end the best of the closed generations or steps, before the first closes the leader. */
  get best(): { readonly mask: string; readonly name: string; readonly accuracy: number } | undefined {
    const step = this.steps.at(-1)?.best;
    if (step) return { mask: '', name: step.id, accuracy: step.accuracy };
    if (this.finished) return { ...this.finished.best, name: this.finished.best.mask };
    const closed = this.generations.at(-1);
    return closed ? this.individual(closed.best) : this.leader;
  }

  /** Individuals that were given up, and that a retry would measure. */
  get givenUp(): number {
    return this.individuals.filter(({ failure, mask }) => failure !== undefined && mask !== '').length;
  }

  /** Whether its individuals are masks; else there are no generations either. */
  get searchesMasks(): boolean {
    const method = this.opened?.experiment.method.name;
    return method === 'ne-sgd' || method === 'random-masks';
  }
}

const GIVEN_UP = { accuracy: 0, curve: [], imagesTrained: 0 };

export interface Population {
  readonly t: number;
  readonly members: readonly { readonly name: string; readonly accuracy: number }[];
  /** Highest less lowest. */
  readonly nabla: number;
}

function rangeOf(members: Population['members']): number {
  const accuracies = members.map(({ accuracy }) => accuracy);
  return members.length > 0 ? Math.max(...accuracies) - Math.min(...accuracies) : 0;
}
