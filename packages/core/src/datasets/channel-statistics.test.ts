import { expect, test } from 'vitest';
import { channelStatistics } from './channel-statistics.js';

test('channelStatistics: mean and population standard deviation of each channel, white being 1', () => {
  // Channel 0: 0, 255, 0, 255; channel 1: 51 throughout.
  const { mean, std } = channelStatistics([Uint8Array.of(0, 51, 255, 51), Uint8Array.of(0, 51, 255, 51)], 2);
  expect(mean).toEqual([0.5, 0.2]);
  expect(std).toEqual([0.5, 0]);
});
