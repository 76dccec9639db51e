/** Which cluster each of n points is in while clusters merge: clusters 0..n-1 are the points, merge k makes n + k. */
export class UnionFind {
  readonly #parent: Int32Array; // of itself: the cluster is not merged into another yet
  readonly #size: Int32Array;
  #next: number;

  constructor(n: number) {
    this.#parent = Int32Array.from({ length: Math.max(2 * n - 1, 0) }, (_, i) => i);
    this.#size = new Int32Array(this.#parent.length).fill(1);
    this.#next = n;
  }

  /** The outermost cluster that holds cluster `i` now. */
  find(i: number): number {
    let root = i;
    while (this.#parent[root] !== root) root = this.#parent[root]!;
    while (i !== root) {
      const next = this.#parent[i]!;
      this.#parent[i] = root; // shortens later searches
      i = next;
    }
    return root;
  }

  /** Merges two outermost clusters. @returns the size of the new one. */
  merge(a: number, b: number): number {
    const size = this.#size[a]! + this.#size[b]!;
    this.#parent[a] = this.#next;
    this.#parent[b] = this.#next;
    this.#size[this.#next++] = size;
    return size;
  }
}
