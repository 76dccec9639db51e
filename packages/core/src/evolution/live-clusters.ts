import { rowStarts } from './raw-merges.js';

/** Clusters not merged away yet, and their distances to one another. */
export class LiveClusters {
  readonly #d: Float64Array;
  readonly #start: Int32Array;
  // Of the first `count` entries: who is live, ascending, and its row start (spares the hot loops one look-up).
  readonly #live: Int32Array;
  readonly #liveStart: Int32Array;
  #count: number;

  /** @param d condensed `[n (n - 1) / 2]`. Taken over. */
  constructor(d: Float64Array, n: number) {
    this.#d = d;
    this.#start = rowStarts(n);
    this.#live = Int32Array.from({ length: n }, (_, i) => i);
    this.#liveStart = this.#start.slice();
    this.#count = n;
  }

  first(): number {
    return this.#live[0]!;
  }

  /** Of x < y. */
  distance(x: number, y: number): number {
    return this.#d[this.#start[x]! + y]!;
  }

  /**
   * The cluster nearest to x, the lowest-numbered of equals; but `before` (-1: none) gives way to none that is only
   * as near, or ties would chase one another forever.
   */
  nearestTo(x: number, before: number): number {
    const d = this.#d;
    const live = this.#live;
    const liveStart = this.#liveStart;
    const count = this.#count;
    let nearest = before < 0 ? Infinity : this.distance(Math.min(x, before), Math.max(x, before));
    let nearestAt = -1;

    let at = 0;
    for (; live[at]! < x; at++) {
      const distance = d[liveStart[at]! + x]!;
      if (distance < nearest) {
        nearest = distance;
        nearestAt = at;
      }
    }
    const start = this.#start[x]!;
    for (at++; at < count; at++) {
      const distance = d[start + live[at]!]!;
      if (distance < nearest) {
        nearest = distance;
        nearestAt = at;
      }
    }
    return nearestAt < 0 ? before : live[nearestAt]!;
  }

  /** Cluster x < y becomes part of y: the distances of y to all others are renewed from those of both. */
  merge(x: number, y: number, weights: { x: number; y: number } | 'farthest'): void {
    const d = this.#d;
    const start = this.#start;
    const live = this.#live;
    const liveStart = this.#liveStart;
    const xAt = live.indexOf(x);
    live.copyWithin(xAt, xAt + 1, this.#count);
    liveStart.copyWithin(xAt, xAt + 1, this.#count);
    const count = --this.#count;

    for (let at = 0; at < count; at++) {
      const i = live[at]!;
      if (i === y) continue;
      const toX = d[i < x ? liveStart[at]! + x : start[x]! + i]!;
      const toYAt = i < y ? liveStart[at]! + y : start[y]! + i;
      const toY = d[toYAt]!;
      if (weights === 'farthest') {
        if (toX > toY) d[toYAt] = toX;
      } else {
        d[toYAt] = (weights.x * toX + weights.y * toY) / (weights.x + weights.y);
      }
    }
  }
}
