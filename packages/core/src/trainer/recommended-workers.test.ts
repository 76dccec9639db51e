import { expect, it } from 'vitest';
import { recommendedWorkers } from './recommended-workers.js';

const room = { cores: 16, memoryBytes: 32e9 };

it.each([
  [{ threads: 1 }, 16, /^16 cores, 1 thread each$/],
  [{ threads: 3 }, 5, /^16 cores, 3 threads each$/],
  [{ threads: 32 }, 1, /^16 cores, 32 threads each$/],
  [{ threads: 1, memoryBytes: 1e9 }, 16, /^16 cores/],
  [{ threads: 1, memoryBytes: 5e9 }, 6, /^32\.0 GB of memory to spare, about 5\.0 GB each; there are cores for 16$/],
  [{ threads: 8, memoryBytes: 5e9 }, 2, /^16 cores/],
  [{ threads: 1, memoryBytes: 64e9 }, 1, /^32\.0 GB/],
])('recommended workers for %j on 16 cores with 32 GB: %i, and why', (needs, workers, reason) => {
  expect(recommendedWorkers(needs, room)).toEqual({ workers, reason: expect.stringMatching(reason) });
});

it('recommended workers: this machine holds at least one', () => {
  expect(recommendedWorkers({ threads: 1 }).workers).toBeGreaterThan(0);
});
