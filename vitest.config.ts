import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'test/**/*.test.ts', 'infra/**/*.test.ts'],
    // Need root, a browser, minutes, programs of operators: vitest.<network, browser, chaos, operators>.config.ts.
    exclude: [...configDefaults.exclude, 'test/network/**', 'test/chaos/**', 'test/browser/**', 'test/operators/**'],
    // Native addons and TensorFlow.js keep process-wide state: one process a file.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
