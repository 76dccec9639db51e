/**
 * Mean and standard deviation of each channel, in units where white (255) is 1. Counted by value in integers, so the
 * result does not depend on the order of the images.
 * @param pieces uint8 NHWC, each one or more whole images.
 */
export function channelStatistics(pieces: readonly Uint8Array[], channels: number): { mean: number[]; std: number[] } {
  const counts = new Float64Array(256 * channels);
  for (const piece of pieces) {
    for (let i = 0; i < piece.length; i += channels) {
      for (let c = 0; c < channels; c++) counts[256 * c + piece[i + c]!]!++;
    }
  }
  const mean: number[] = [];
  const std: number[] = [];
  for (let c = 0; c < channels; c++) {
    const histogram = counts.subarray(256 * c, 256 * (c + 1));
    const total = histogram.reduce((sum, n) => sum + n, 0);
    const average = histogram.reduce((sum, n, value) => sum + n * value, 0) / total;
    const variance = histogram.reduce((sum, n, value) => sum + n * (value - average) ** 2, 0) / total;
    mean.push(average / 255);
    std.push(Math.sqrt(variance) / 255);
  }
  return { mean, std };
}
