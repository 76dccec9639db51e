import { configDefaults, defineConfig } from 'vitest/config';
import type { Reporter } from 'vitest/node';
import base from './vitest.config.js';

/** What the last line of `npm run test:chaos` says. */
const tally: Reporter = {
  onTestRunEnd(modules) {
    const [found] = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.meta().chaos ?? []));
    const { seed, injected, lost, doubled } = [found ?? []].flat()[0] ?? {
      seed: '?',
      injected: 0,
      lost: '?',
      doubled: '?',
    };
    // The summary of the default reporter comes at the end of the run as well.
    process.once('exit', () =>
      console.log(
        `seed ${seed}: ${injected} faults injected, ${lost} individuals lost, ${doubled} individuals doubled`,
      ),
    );
  },
};

/** `npm run test:chaos`: minutes of kills and cuts; CI runs it. NESGD_CHAOS_SEED=n for another order of them. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/chaos/**/*.test.ts'],
    exclude: configDefaults.exclude,
    reporters: ['default', tally],
    disableConsoleIntercept: true,
    testTimeout: 900_000,
  },
});
