import type { RunModel } from './run-model.js';

/** The share of a population that keeps each block. @returns `[generations][blocks]`, each in [0, 1]. */
export function keptShares(model: RunModel, blocks: number): number[][] {
  return model.generations.map(({ parents }) => {
    const kept = new Array<number>(blocks).fill(0);
    for (const number of parents) {
      const { mask } = model.individual(number);
      for (let i = 0; i < blocks; i++) if (mask[i] === '1') kept[i] = (kept[i] ?? 0) + 1;
    }
    return kept.map((count) => count / parents.length);
  });
}
