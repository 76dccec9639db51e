import { defineConfig } from 'vitest/config';

/** `npm run screenshots`: no tests; writes the pictures of the dashboard in docs/figures from a real run. */
export default defineConfig({
  test: { include: ['test/browser/screenshots.ts'], testTimeout: 1_200_000, hookTimeout: 120_000 },
});
