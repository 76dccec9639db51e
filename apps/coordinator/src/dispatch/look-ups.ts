/** A sweep over all jobs takes at most so many steps. */
const STEPS_A_SWEEP = 6;
const LEAST_A_STEP = 200;

/** When jobs are looked up: upon news of them, and now and then one after the other, should news have been lost. */
export class LookUps {
  readonly #underWay = new Map<string, 'once' | 'again'>();
  #sweepAt = 0;

  /** @param lookUp never rejects. */
  constructor(private readonly lookUp: (id: string) => Promise<void>) {}

  /** One at a time for each job, or one answer would be taken twice; news in between is looked at afterwards. */
  async of(id: string): Promise<void> {
    if (this.#underWay.has(id)) {
      this.#underWay.set(id, 'again');
      return;
    }
    do {
      this.#underWay.set(id, 'once');
      await this.lookUp(id);
    } while (this.#underWay.get(id) === 'again');
    this.#underWay.delete(id);
  }

  /** Those whose turn it is. */
  sweep(ids: readonly string[]): void {
    const count = Math.min(ids.length, Math.max(LEAST_A_STEP, Math.ceil(ids.length / STEPS_A_SWEEP)));
    for (let i = 0; i < count; i++) void this.of(ids[(this.#sweepAt + i) % ids.length]!);
    this.#sweepAt = ids.length === 0 ? 0 : (this.#sweepAt + count) % ids.length;
  }
}
