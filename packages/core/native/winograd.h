#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "parallel.h"

/**
 * 3x3 convolutions of stride 1 and padding 1, and both their gradients, by Winograd's minimal filtering F(2x2, 3x3)
 * (Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks"): 16 products where the sum as written takes
 * 36. With G, B and A of their equation 8, per tile of 2x2 outputs and its 4x4 inputs:
 *
 *     y  = A^T [(G w G^T) . (B^T x B)] A            the convolution
 *     dw = G^T [(B^T x B) . (A dy A^T)] G           its kernel's gradient; the input's is a convolution of dy
 *
 * The products, summed over channels or over tiles, are 16 matrix products ("points" below). Images are channels-last,
 * channels a multiple of 16. For processors with AVX-512, or with AVX2 and FMA.
 */
namespace nesgd {

constexpr int64_t kPoints = 16;
/** What channels of images are a multiple of. */
constexpr int64_t kChannelStep = 16;

/** `[rows, columns, channels]` of each image and how it falls into tiles; odd sizes end in tiles that reach over. */
struct TiledImages {
  int64_t images, height, width;

  int64_t tile_rows() const { return (height + 1) / 2; }
  int64_t tile_columns() const { return (width + 1) / 2; }
  int64_t tiles() const { return images * tile_rows() * tile_columns(); }
};

/** Memory of a thread, kept from call to call, for vectors. */
class Scratch {
 public:
  /** @returns `floats` values, whatever they are: numbers of earlier calls or zero. @throws std::bad_alloc. */
  float* Get(int64_t floats) {
    if (floats > size_) {
      const size_t bytes = (floats * sizeof(float) + 4095) / 4096 * 4096;
      size_ = 0;
      memory_.reset();  // First: both at once would take more than there may be.
      memory_.reset(static_cast<float*>(std::aligned_alloc(4096, bytes)));
      if (memory_ == nullptr) throw std::bad_alloc();
      std::fill_n(memory_.get(), bytes / sizeof(float), 0.0f);
      size_ = bytes / sizeof(float);
    }
    return memory_.get();
  }

 private:
  struct Free {
    void operator()(float* memory) const { std::free(memory); }
  };
  std::unique_ptr<float, Free> memory_;
  int64_t size_ = 0;
};

/** Convolution and the gradient of its kernel, for one kind of processor; `winograd_panels.h` says what they compute. */
struct WinogradKernels {
  void (*convolve)(Pool& pool, const TiledImages& images, int64_t inputs, int64_t outputs, const float* x,
                   const float* w, bool turned, float* y);
  void (*convolve_grad_kernel)(Pool& pool, const TiledImages& images, int64_t inputs, int64_t outputs, const float* x,
                               const float* dy, float* dw);
};

#if defined(__x86_64__) && defined(__GNUC__)

// The same text twice, for vectors of 16 values and of 8.
#pragma GCC push_options
#pragma GCC target("avx512f")
namespace avx512 {
constexpr int64_t kPanel = 16;
#include "winograd_panels.h"
}  // namespace avx512
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
constexpr int64_t kPanel = 8;
#include "winograd_panels.h"
}  // namespace avx2
#pragma GCC pop_options

/** The longest vectors, in values, that oneDNN is allowed: `ONEDNN_MAX_CPU_ISA`, which then holds here as well. */
inline int64_t LongestVectors() {
  const char* given = std::getenv("ONEDNN_MAX_CPU_ISA");
  const std::string limit = given == nullptr ? "" : given;
  if (limit == "SSE41" || limit == "AVX") return 0;
  return limit.rfind("AVX2", 0) == 0 ? 8 : 16;
}

/** Which of them this processor runs; none of them where `convolve` is null. */
inline const WinogradKernels& Winograd() {
  static const WinogradKernels kernels = [] {
    const int64_t longest = LongestVectors();
    if (longest >= 16 && __builtin_cpu_supports("avx512f"))
      return WinogradKernels{avx512::Convolve, avx512::ConvolveGradKernel};
    if (longest >= 8 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return WinogradKernels{avx2::Convolve, avx2::ConvolveGradKernel};
    return WinogradKernels{};
  }();
  return kernels;
}

#else

inline const WinogradKernels& Winograd() {
  static const WinogradKernels none{};
  return none;
}

#endif

}  // namespace nesgd
