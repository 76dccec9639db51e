import { configDefaults, defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** `npm run test:browser`: what needs a Chromium (Debian's package `chromium` will do). CI runs it. */
export default defineConfig({
  test: {
    ...base.test,
    include: ['test/browser/**/*.test.ts'],
    exclude: configDefaults.exclude,
    // A page draws when it has what it draws; a second, the default, is short on a busy machine.
    expect: { poll: { timeout: 60_000 } },
  },
});
