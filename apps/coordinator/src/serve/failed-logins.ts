const WINDOW_MS = 60_000;
const MOST_IN_WINDOW = 10;
const MOST_ADDRESSES = 10_000;

/** Slows down who tries secrets one after the other: ten wrong ones a minute from one address, then no more. */
export class FailedLogins {
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Seconds to wait, or 0. */
  waitSeconds(address: string): number {
    const failure = this.#failures.get(address);
    if (!failure || failure.until <= this.now() || failure.count < MOST_IN_WINDOW) return 0;
    return Math.ceil((failure.until - this.now()) / 1000);
  }

  note(address: string): void {
    const failure = this.#failures.get(address);
    const isOld = !failure || failure.until <= this.now();
    this.#failures.delete(address);
    this.#failures.set(
      address,
      isOld ? { count: 1, until: this.now() + WINDOW_MS } : { ...failure, count: failure.count + 1 },
    );
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
