import { configDefaults, defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** `npm run test:network`: what needs root, as it makes network namespaces. CI runs it. */
export default defineConfig({
  test: { ...base.test, include: ['test/network/**/*.test.ts'], exclude: configDefaults.exclude },
});
