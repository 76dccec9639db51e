#pragma once
#include <cstdint>

/** Loops are compiled once for each kind of x86 processor; the right one is chosen when the library loads. */
#if defined(__x86_64__) && defined(__GNUC__)
#define NESGD_SIMD __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define NESGD_SIMD
#endif

namespace nesgd {

/** Tensors of more values than this are read from memory rather than from a core's cache. */
constexpr int64_t kInCacheValues = 1 << 20;

/**
 * Channels `offset` to `offset + channels` of a channels-last tensor seen as rows, one a pixel: what a slice of its
 * channels is without being copied.
 */
struct Rows {
  const float* data;
  int64_t stride;
  /** How many rows ahead of those being read memory is asked for; 0: not at all. */
  int64_t ahead;

  Rows(const float* data, int64_t stride, int64_t rows)
      : data(data), stride(stride), ahead(rows * stride > kInCacheValues ? 1024 / stride + 1 : 0) {}

  const float* at(int64_t row) const { return data + row * stride; }

  Rows from(int64_t row) const {
    Rows later = *this;
    later.data = at(row);
    return later;
  }

  /** The same values as wide rows of `fold` pixels. */
  Rows folded(int64_t fold) const {
    Rows wide = *this;
    wide.stride = stride * fold;
    wide.ahead = (ahead + fold - 1) / fold;
    return wide;
  }

  /** Several streams at once are more than the processor foresees: this halves the time of batch norm's gradient. */
  inline __attribute__((always_inline)) void fetch(int64_t row, int64_t rows, int64_t channels) const {
    if (ahead == 0) return;
    for (int64_t r = row + ahead; r < row + ahead + rows; r++)
      for (int64_t c = 0; c < channels; c += 16) __builtin_prefetch(at(r) + c);
  }
};

/** The values that one chunk works on: small enough for a core's own cache, large enough to be worth a turn. */
constexpr int64_t kChunkValues = 1 << 15;

/** How an operation's rows are cut into chunks: a function of the shape alone, never of the number of threads. */
struct Chunks {
  int64_t rows;
  int64_t rows_each;

  Chunks(int64_t rows, int64_t channels)
      : rows(rows), rows_each(channels >= kChunkValues ? 1 : kChunkValues / channels) {}

  int64_t count() const { return (rows + rows_each - 1) / rows_each; }
  /** A second pass takes the last chunks first: they may still be in the cache. */
  int64_t backwards(int64_t turn) const { return count() - 1 - turn; }
  int64_t begin(int64_t chunk) const { return chunk * rows_each; }
  int64_t end(int64_t chunk) const { return begin(chunk) + rows_each < rows ? begin(chunk) + rows_each : rows; }
};

/**
 * How many pixels of a contiguous tensor make one wide row: loops over few channels are too short to be quick. A power
 * of two that divides `rows`; 1 where rows are slices.
 */
inline int64_t FoldOf(int64_t rows, int64_t channels, bool contiguous) {
  int64_t fold = 1;
  while (contiguous && fold * channels < 128 && rows % (2 * fold) == 0) fold *= 2;
  return fold;
}

}  // namespace nesgd
