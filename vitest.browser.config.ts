import { configDefaults, defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** `npm run test:browser`: what needs a Chromium (Debian's package `chromium` will do). CI runs it. */
export default defineConfig({
  test: { ...base.test, include: ['test/browser/**/*.test.ts'], exclude: configDefaults.exclude },
});
