import { Histogram, type Registry } from 'prom-client';

/**
 * A histogram whose observations were counted elsewhere: prom-client's own takes them one at a time, which of a long run
 * are a hundred thousand at every scrape.
 */
export class CountedHistogram extends Histogram<'run'> {
  readonly #values: { metricName: string; labels: { run: string; le?: string }; value: number }[] = [];

  /** @param bounds of the buckets; one more, without a bound, follows them. */
  constructor(
    private readonly metricName: string,
    private readonly description: string,
    private readonly bounds: readonly number[],
    registers: Registry[],
  ) {
    super({ name: metricName, help: description, labelNames: ['run'], buckets: [...bounds], registers });
  }

  /** @param counts how many fell into each bucket alone. */
  count(run: string, counts: readonly number[], sum: number): void {
    let below = 0;
    for (const [i, count] of counts.entries()) {
      below += count;
      const le = String(this.bounds[i] ?? '+Inf');
      this.#values.push({ metricName: `${this.metricName}_bucket`, labels: { le, run }, value: below });
    }
    this.#values.push({ metricName: `${this.metricName}_sum`, labels: { run }, value: sum });
    this.#values.push({ metricName: `${this.metricName}_count`, labels: { run }, value: below });
  }

  /** What the registry asks a histogram for; prom-client's types leave it out. */
  async getForPromString() {
    return {
      name: this.metricName,
      help: this.description,
      type: 'histogram',
      aggregator: 'sum',
      values: this.#values,
    };
  }
}
