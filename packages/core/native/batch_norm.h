#pragma once
#include <cmath>
#include <vector>

#include "parallel.h"
#include "rows.h"

/** Batch normalisation over rows of channels, with the ReLU that may follow it, in two passes over memory each way. */
namespace nesgd {

/** Adds a chunk's sums of (x - shift) and of its square to `sum` and `square`, `[channels]` each. */
NESGD_SIMD inline void AddMoments(Rows x, int64_t rows, int64_t channels, const float* __restrict shift,
                           float* __restrict sum, float* __restrict square) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const float *x0 = x.at(r), *x1 = x.at(r + 1), *x2 = x.at(r + 2), *x3 = x.at(r + 3);
    x.fetch(r, 4, channels);
    for (int64_t c = 0; c < channels; c++) {
      const float s = shift[c];
      const float d0 = x0[c] - s, d1 = x1[c] - s, d2 = x2[c] - s, d3 = x3[c] - s;
      sum[c] += (d0 + d1) + (d2 + d3);
      square[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    }
  }
  for (; r < rows; r++) {
    const float* x0 = x.at(r);
    for (int64_t c = 0; c < channels; c++) {
      const float d = x0[c] - shift[c];
      sum[c] += d;
      square[c] += d * d;
    }
  }
}

/** `y = x a + b`, then ReLU where `relu`. */
NESGD_SIMD inline void ScaleRows(Rows x, int64_t rows, int64_t channels, const float* __restrict a,
                                 const float* __restrict b, bool relu, float* __restrict y) {
  for (int64_t r = 0; r < rows; r++, y += channels) {
    const float* x0 = x.at(r);
    if (relu) {
      for (int64_t c = 0; c < channels; c++) {
        const float v = x0[c] * a[c] + b[c];
        y[c] = v > 0 ? v : 0;
      }
    } else {
      for (int64_t c = 0; c < channels; c++) y[c] = x0[c] * a[c] + b[c];
    }
  }
}

/** What a ReLU's gradient lets through of `d` where it was given `z`. Takes `d` by value, or loops would not vectorise. */
inline __attribute__((always_inline)) float Passed(float d, float z) { return z > 0 ? d : 0; }

/**
 * Adds a chunk's sums of g and of g (x - mean) to `sum` and `dot`; g is `dy` where the ReLU let pass, that is where
 * `x a + b > 0`.
 */
NESGD_SIMD inline void AddGradients(Rows dy, Rows x, int64_t rows, int64_t channels, const float* __restrict mean,
                                    const float* __restrict a, const float* __restrict b, bool relu,
                                    float* __restrict sum, float* __restrict dot) {
  int64_t r = 0;
  for (; r + 2 <= rows; r += 2) {
    const float *d0 = dy.at(r), *d1 = dy.at(r + 1), *x0 = x.at(r), *x1 = x.at(r + 1);
    dy.fetch(r, 2, channels);
    x.fetch(r, 2, channels);
    if (relu) {
      for (int64_t c = 0; c < channels; c++) {
        const float g0 = Passed(d0[c], x0[c] * a[c] + b[c]), g1 = Passed(d1[c], x1[c] * a[c] + b[c]);
        sum[c] += g0 + g1;
        dot[c] += g0 * (x0[c] - mean[c]) + g1 * (x1[c] - mean[c]);
      }
    } else {
      for (int64_t c = 0; c < channels; c++) {
        sum[c] += d0[c] + d1[c];
        dot[c] += d0[c] * (x0[c] - mean[c]) + d1[c] * (x1[c] - mean[c]);
      }
    }
  }
  for (; r < rows; r++) {
    const float *d0 = dy.at(r), *x0 = x.at(r);
    for (int64_t c = 0; c < channels; c++) {
      const float g = relu ? Passed(d0[c], x0[c] * a[c] + b[c]) : d0[c];
      sum[c] += g;
      dot[c] += g * (x0[c] - mean[c]);
    }
  }
}

/** `dx = a g + (p x + q)`, g as in `AddGradients`. */
NESGD_SIMD inline void GradRows(Rows dy, Rows x, int64_t rows, int64_t channels, const float* __restrict a,
                                const float* __restrict b, const float* __restrict p, const float* __restrict q,
                                bool relu, float* __restrict dx) {
  for (int64_t r = 0; r < rows; r++, dx += channels) {
    const float *__restrict d0 = dy.at(r), *__restrict x0 = x.at(r);
    if (relu) {
      for (int64_t c = 0; c < channels; c++)
        dx[c] = a[c] * Passed(d0[c], x0[c] * a[c] + b[c]) + (p[c] * x0[c] + q[c]);
    } else {
      for (int64_t c = 0; c < channels; c++) dx[c] = a[c] * d0[c] + (p[c] * x0[c] + q[c]);
    }
  }
}

/** Sums by channel: chunks in single precision, then all of them, in their order, in double. */
class ChannelSums {
 public:
  ChannelSums(int64_t chunks, int64_t channels) : width_(channels), sums_(2 * chunks * channels, 0.0f) {}

  float* first(int64_t chunk) { return sums_.data() + 2 * chunk * width_; }
  float* second(int64_t chunk) { return first(chunk) + width_; }

  /** Of the first or second kind; channels that were folded into wide rows fall together again. */
  std::vector<double> Total(bool second, int64_t channels) const {
    std::vector<double> total(channels, 0.0);
    for (size_t at = second ? width_ : 0; at < sums_.size(); at += 2 * width_)
      for (int64_t i = 0; i < width_; i += channels)
        for (int64_t c = 0; c < channels; c++) total[c] += sums_[at + i + c];
    return total;
  }

 private:
  int64_t width_;
  std::vector<float> sums_;
};

/** `values` `[channels]`, repeated for wide rows. */
inline std::vector<float> Repeat(const std::vector<float>& values, int64_t fold) {
  std::vector<float> repeated;
  repeated.reserve(values.size() * fold);
  for (int64_t i = 0; i < fold; i++) repeated.insert(repeated.end(), values.begin(), values.end());
  return repeated;
}

struct BatchNormShape {
  int64_t rows;
  int64_t channels;
  int64_t fold;
  Chunks chunks;

  BatchNormShape(int64_t rows, int64_t channels, bool contiguous)
      : rows(rows),
        channels(channels),
        fold(FoldOf(rows, channels, contiguous)),
        chunks(rows / fold, channels * fold) {}

  int64_t width() const { return channels * fold; }
};

/** The factor and the summand that batch norm comes down to: `y = x a + b`. */
struct Affine {
  std::vector<float> a, b;

  Affine(int64_t channels, const float* scale, const float* offset, const float* mean, const float* deviation_inverse)
      : a(channels), b(channels) {
    for (int64_t c = 0; c < channels; c++) {
      a[c] = scale[c] * deviation_inverse[c];
      b[c] = offset[c] - mean[c] * a[c];
    }
  }
};

inline void ApplyAffine(Pool& pool, const BatchNormShape& shape, Rows x, const Affine& affine, bool relu, float* y) {
  const auto a = Repeat(affine.a, shape.fold), b = Repeat(affine.b, shape.fold);
  const Rows wide = x.folded(shape.fold);
  pool.Run(shape.chunks.count(), [&](int64_t turn) {
    const int64_t chunk = shape.chunks.backwards(turn), begin = shape.chunks.begin(chunk);
    ScaleRows(wide.from(begin), shape.chunks.end(chunk) - begin, shape.width(), a.data(), b.data(), relu,
              y + begin * shape.width());
  });
}

/** Mean and biased variance by channel. Deviations are taken from the first row, so that a large mean costs no digits. */
inline void Moments(Pool& pool, const BatchNormShape& shape, Rows x, std::vector<float>& mean,
                    std::vector<float>& variance) {
  const std::vector<float> first(x.at(0), x.at(0) + shape.channels);
  const auto shift = Repeat(first, shape.fold);
  ChannelSums sums(shape.chunks.count(), shape.width());
  const Rows wide = x.folded(shape.fold);
  pool.Run(shape.chunks.count(), [&](int64_t chunk) {
    const int64_t begin = shape.chunks.begin(chunk);
    AddMoments(wide.from(begin), shape.chunks.end(chunk) - begin, shape.width(), shift.data(),
               sums.first(chunk), sums.second(chunk));
  });
  const auto sum = sums.Total(false, shape.channels), square = sums.Total(true, shape.channels);
  for (int64_t c = 0; c < shape.channels; c++) {
    const double shifted = sum[c] / shape.rows;
    const double spread = square[c] / shape.rows - shifted * shifted;
    mean[c] = static_cast<float>(first[c] + shifted);
    variance[c] = static_cast<float>(spread > 0 ? spread : 0);
  }
}

}  // namespace nesgd
