import type { GenerationView } from '@nesgd/core/view';
import type { RunModel } from './run-model.js';

/** Where a genome first came from. */
export interface Birth {
  readonly mask: string;
  /** 0: drawn at random. */
  readonly t: number;
  /** Of an offspring: its parents' masks; its bits start from the first's. */
  readonly parents?: readonly [string, string];
  readonly crossover?: boolean;
  /** Bits that mutation flipped. */
  readonly mutated?: readonly number[];
}

/** The first birth of each genome that a closed generation knows. A genome can be born again later; that says nothing new. */
export function birthsOf(model: RunModel): Map<string, Birth> {
  const births = new Map<string, Birth>();
  const maskOf = (number: number) => model.individual(number).mask;
  const add = (birth: Birth) => {
    if (!births.has(birth.mask)) births.set(birth.mask, birth);
  };
  for (const generation of model.generations) {
    if (generation.t === 0) for (const number of generation.parents) add({ mask: maskOf(number), t: 0 });
    for (const [i, number] of generation.offspring.entries()) add(birthOf(generation, i, maskOf(number), maskOf));
  }
  return births;
}

function birthOf({ t, lineage, pool }: GenerationView, i: number, mask: string, maskOf: (n: number) => string): Birth {
  const from = lineage[i];
  if (!from) return { mask, t };
  // Parents' positions count in the population, which begins the pool.
  const [first, second] = from.parents.map((position) => maskOf(pool[position] ?? -1));
  return { mask, t, parents: [first ?? '', second ?? ''], crossover: from.crossover, mutated: from.mutated };
}

/** A genome and everyone it comes from, those born last first. */
export function ancestry(births: ReadonlyMap<string, Birth>, mask: string): Birth[] {
  const found = new Map<string, Birth>();
  const open = [mask];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const birth = births.get(next);
    if (!birth || found.has(next)) continue;
    found.set(next, birth);
    // A genome's parents were there before its first birth, so this ends.
    open.push(...(birth.parents ?? []));
  }
  return [...found.values()].sort((a, b) => b.t - a.t);
}

export type Origin = 'first parent' | 'second parent' | 'either parent' | 'mutation';

/** Where a bit of an offspring comes from. */
export function originOf({ mask, parents, mutated }: Birth, bit: number): Origin | undefined {
  if (!parents) return undefined;
  if (mutated?.includes(bit)) return 'mutation';
  const [first, second] = parents.map((parent) => parent[bit] === mask[bit]);
  return first && second ? 'either parent' : first ? 'first parent' : 'second parent';
}
