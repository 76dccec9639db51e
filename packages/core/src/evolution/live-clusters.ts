/** Clusters not merged away yet, and their distances to one another. */
export class LiveClusters {
  readonly #d: Float64Array;
  readonly #n: number;
  /** Of the first `count` entries: who is live, ascending. */
  readonly #live: Int32Array;
  #count: number;

  /** @param d `[n n]`, symmetric. Taken over. */
  constructor(d: Float64Array, n: number) {
    this.#d = d;
    this.#n = n;
    this.#live = Int32Array.from({ length: n }, (_, i) => i);
    this.#count = n;
  }

  first(): number {
    return this.#live[0]!;
  }

  distance(x: number, y: number): number {
    return this.#d[x * this.#n + y]!;
  }

  /**
   * The cluster nearest to x, the lowest-numbered of equals; but `before` (-1: none) gives way to none that is only
   * as near, or ties would chase one another forever.
   */
  nearestTo(x: number, before: number): number {
    const d = this.#d;
    const live = this.#live;
    const count = this.#count;
    const row = x * this.#n;
    let nearest = before < 0 ? Infinity : d[row + before]!;
    let nearestTo = before;
    for (let at = 0; at < count; at++) {
      const i = live[at]!;
      const distance = d[row + i]!;
      if (distance < nearest && i !== x) {
        nearest = distance;
        nearestTo = i;
      }
    }
    return nearestTo;
  }

  /** Cluster x < y becomes part of y: the distances of y to all others are renewed from those of both. */
  merge(x: number, y: number, weights: { x: number; y: number } | 'farthest'): void {
    const d = this.#d;
    const n = this.#n;
    const live = this.#live;
    const xAt = live.indexOf(x);
    live.copyWithin(xAt, xAt + 1, this.#count);
    const count = --this.#count;

    for (let at = 0; at < count; at++) {
      const i = live[at]!;
      if (i === y) continue;
      const toX = d[x * n + i]!;
      const toY = d[y * n + i]!;
      const distance =
        weights === 'farthest' ? Math.max(toX, toY) : (weights.x * toX + weights.y * toY) / (weights.x + weights.y);
      d[y * n + i] = distance;
      d[i * n + y] = distance;
    }
  }
}
