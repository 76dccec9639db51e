/** What `nesgd bench --json` prints: docs/benchmarks.md explains each figure. */
export interface BenchReport {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly BenchRow[];
  readonly population: readonly PopulationRow[];
  /** What could not be measured, as for want of memory, where there is such; the rest was. */
  readonly failed?: readonly Failure[];
  /** Of the rows' ratios; null without a peer. */
  readonly geomeanRatio: number | null;
}

export interface Failure {
  /** A network, or a population of one. */
  readonly what: string;
  readonly reason: string;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  /** Load average of the last minute before the first measurement; above 0.5, others were at work. */
  readonly loadAtStart: number;
  readonly date: string;
  /** What `peakShare` is a share of: the best multiplication of large matrices on the rows' engine and threads. */
  readonly matmulGflops: number;
}

/** One network's training steps. */
export interface BenchRow {
  readonly model: string;
  readonly engine: string;
  readonly batch: number;
  readonly threads: number;
  readonly imagesPerSecond: number;
  readonly msPerStep: number;
  /** 10^9 operations a second of the convolutions and linear layers: see `trainingFlops`. */
  readonly gflops: number;
  readonly peakShare: number;
  /** The most that was resident at once, in MiB. */
  readonly rssMb: number;
  /** Null without a peer, as are `ratio` and `ratioRange`. */
  readonly peer: PeerResult | null;
  /** Our throughput over the peer's. */
  readonly ratio: number | null;
  readonly ratioRange: readonly [number, number] | null;
  /** With `--compiled`: the peer's compiled form, or why it does not work here. */
  readonly compiled?: (PeerResult & { readonly ratio: number }) | { readonly name: string; readonly failed: string };
}

export interface PeerResult {
  readonly name: string;
  readonly imagesPerSecond: number;
  readonly rssMb: number;
}

/** Workers that together use all the threads, beside one process of the peer's with all of them. */
export interface PopulationRow {
  readonly model: string;
  readonly workers: number;
  /** Of each worker. */
  readonly threads: number;
  readonly imagesPerSecond: number;
  readonly peerImagesPerSecond: number | null;
  readonly ratio: number | null;
  readonly ratioRange: readonly [number, number] | null;
  /** Every way of dividing the threads that was tried. */
  readonly splits: readonly Split[];
}

export interface Split {
  readonly workers: number;
  readonly threads: number;
  readonly imagesPerSecond: number;
}
