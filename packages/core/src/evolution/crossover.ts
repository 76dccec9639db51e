import type { Rng } from './rng.js';

/** How two parents exchange bits: each bit with probability 1/2, or all bits from one point on. */
export const CROSSOVERS = ['uniform', 'one-point'] as const;
export type Crossover = (typeof CROSSOVERS)[number];

type Bits = (0 | 1)[];

/** Crossover of two masks of one length; both change in place. */
export const exchange: Record<Crossover, (a: Bits, b: Bits, rng: Rng) => void> = {
  uniform(a, b, rng) {
    for (let i = 0; i < a.length; i++) if (rng.bit(0.5)) swap(a, b, i);
  },
  'one-point'(a, b, rng) {
    if (a.length < 2) return; // no point between bits
    for (let i = 1 + rng.below(a.length - 1); i < a.length; i++) swap(a, b, i);
  },
};

function swap(a: Bits, b: Bits, i: number): void {
  [a[i], b[i]] = [b[i]!, a[i]!];
}
