/** What a method ends with: the network that goes on to the test set. */
export interface Found {
  /** All 1 (from alpha) or all 0 (from random weights) where a method has no masks. */
  readonly mask: string;
  readonly accuracy: number;
  /** Puts the weights into the run's artifacts and the cache. @returns their SHA-256. */
  readonly weights: () => Promise<string>;
  /** Generations or steps that were closed. */
  readonly closed: number;
  /** Networks asked for, and those of them that took a training or a measurement. */
  readonly evaluations: number;
  readonly done: number;
}
