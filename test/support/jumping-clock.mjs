/**
 * For `node --import`: the process's time of day is off by the milliseconds in the file NESGD_TEST_CLOCK, at any moment.
 * What counts elapsed time (`performance.now`, timers) goes on, as with a real clock that is set.
 */
import { readFileSync } from 'node:fs';

const RealDate = Date;
const file = process.env.NESGD_TEST_CLOCK;
const offset = () => {
  try {
    return Number(readFileSync(/** @type {string} */ (file), 'utf8'));
  } catch {
    return 0;
  }
};
globalThis.Date = /** @type {DateConstructor} */ (
  class extends RealDate {
    /** @param {any[]} given */
    constructor(...given) {
      if (given.length === 0) super(RealDate.now() + offset());
      // @ts-expect-error: what Date takes
      else super(...given);
    }
    static now() {
      return RealDate.now() + offset();
    }
  }
);
