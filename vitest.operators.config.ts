import { configDefaults, defineConfig } from 'vitest/config';
import base from './vitest.config.js';

/** `npm run test:operators`: what needs the operators' own programs, promtool and TensorBoard. CI runs it. */
export default defineConfig({
  test: { ...base.test, include: ['test/operators/**/*.test.ts'], exclude: configDefaults.exclude },
});
