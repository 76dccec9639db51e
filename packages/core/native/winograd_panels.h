// Included by winograd.h once for each length of vectors, in a namespace that says `kPanel`: values of a vector, and
// channels that are worked on together.

typedef float Panel __attribute__((vector_size(kPanel * sizeof(float))));
typedef float PackedPanel __attribute__((vector_size(kPanel * sizeof(float)), aligned(4)));

inline Panel Load(const float* from) { return *reinterpret_cast<const PackedPanel*>(from); }
inline void Store(float* to, Panel value) { *reinterpret_cast<PackedPanel*>(to) = value; }

/** Tiles of one block in the domain of products: `[points][panels][tiles][kPanel]`, spread so that points share no cache set. */
struct Block {
  int64_t tiles, panels;

  int64_t panel_stride() const { return (tiles + 1) * kPanel; }
  int64_t point_stride() const { return panels * panel_stride() + kPanel; }
  int64_t size() const { return kPoints * point_stride(); }
};

/** Where a tile lies. */
struct TilePlace {
  int64_t image, row, column;

  TilePlace(const TiledImages& images, int64_t tile)
      : image(tile / (images.tile_rows() * images.tile_columns())),
        row(tile / images.tile_columns() % images.tile_rows() * 2),
        column(tile % images.tile_columns() * 2) {}

  void Next(const TiledImages& images) {
    if ((column += 2) < images.width) return;
    column = 0;
    if ((row += 2) < images.height) return;
    row = 0;
    image++;
  }
};

/** Rows, then columns, of `B^T x B`, in place. */
inline __attribute__((always_inline)) void TransformInput(Panel d[16]) {
  for (int s = 0; s < 2; s++) {
    const int along = s == 0 ? 4 : 1, across = s == 0 ? 1 : 4;
    for (int i = 0; i < 4; i++) {
      Panel* v = d + i * across;
      const Panel a = v[0], b = v[along], c = v[2 * along], e = v[3 * along];
      v[0] = a - c;
      v[along] = b + c;
      v[2 * along] = c - b;
      v[3 * along] = b - e;
    }
  }
}

/**
 * `count` tiles from `first` on of x `[n, h, w, channels]`, each 4x4 pixels from one up and left of its outputs; of the
 * channels so many as `block` has, from the one that `x` points to.
 */
inline void GatherInputs(const TiledImages& images, const float* x, int64_t channels, int64_t first, int64_t count,
                         const Block& block, float* to) {
  const int64_t row_stride = images.width * channels;
  TilePlace place(images, first);
  for (int64_t t = 0; t < count; t++, place.Next(images)) {
    const int64_t top = place.row - 1, left = place.column - 1;
    const bool inside = top >= 0 && left >= 0 && top + 4 <= images.height && left + 4 <= images.width;
    const float* corner = x + (place.image * images.height + top) * row_stride + left * channels;
    // What the row of tiles below will be the first to read.
    for (int64_t i = 4; i < 6; i++)
      for (int64_t j = 1; j < 3; j++)
        for (int64_t p = 0; p < block.panels; p++)
          __builtin_prefetch(corner + i * row_stride + j * channels + p * kPanel);
    for (int64_t p = 0; p < block.panels; p++) {
      Panel d[16];
      if (inside) {
        for (int i = 0; i < 4; i++)
          for (int j = 0; j < 4; j++) d[4 * i + j] = Load(corner + i * row_stride + j * channels + p * kPanel);
      } else {
        for (int i = 0; i < 4; i++)
          for (int j = 0; j < 4; j++) {
            const bool there = top + i >= 0 && top + i < images.height && left + j >= 0 && left + j < images.width;
            d[4 * i + j] = there ? Load(corner + i * row_stride + j * channels + p * kPanel) : Panel{};
          }
      }
      TransformInput(d);
      float* v = to + p * block.panel_stride() + t * kPanel;
      for (int f = 0; f < 16; f++) Store(v + f * block.point_stride(), d[f]);
    }
  }
}

/** `A^T m A` of each tile, into y `[n, h, w, channels]`. */
inline void ScatterOutputs(const TiledImages& images, const Block& block, const float* from, int64_t first,
                           int64_t count, float* y) {
  const int64_t channels = block.panels * kPanel, row_stride = images.width * channels;
  TilePlace place(images, first);
  for (int64_t t = 0; t < count; t++, place.Next(images)) {
    float* corner = y + (place.image * images.height + place.row) * row_stride + place.column * channels;
    const bool right = place.column + 1 < images.width, below = place.row + 1 < images.height;
    for (int64_t i = 2; i < 4; i++)
      for (int64_t p = 0; p < 2 * block.panels; p++) __builtin_prefetch(corner + i * row_stride + p * kPanel, 1);
    for (int64_t p = 0; p < block.panels; p++) {
      const float* m = from + p * block.panel_stride() + t * kPanel;
      Panel s[2][4];
      for (int j = 0; j < 4; j++) {
        const Panel m0 = Load(m + j * block.point_stride()), m1 = Load(m + (4 + j) * block.point_stride());
        const Panel m2 = Load(m + (8 + j) * block.point_stride()), m3 = Load(m + (12 + j) * block.point_stride());
        s[0][j] = m0 + (m1 + m2);
        s[1][j] = (m1 - m2) - m3;
      }
      float* to = corner + p * kPanel;
      Store(to, s[0][0] + (s[0][1] + s[0][2]));
      if (right) Store(to + channels, (s[0][1] - s[0][2]) - s[0][3]);
      if (below) Store(to + row_stride, s[1][0] + (s[1][1] + s[1][2]));
      if (below && right) Store(to + row_stride + channels, (s[1][1] - s[1][2]) - s[1][3]);
    }
  }
}

/** `A dy A^T` of each tile of dy `[n, h, w, channels]`. */
inline void GatherGradients(const TiledImages& images, const float* dy, int64_t first, int64_t count,
                            const Block& block, float* to) {
  const int64_t channels = block.panels * kPanel, row_stride = images.width * channels;
  TilePlace place(images, first);
  for (int64_t t = 0; t < count; t++, place.Next(images)) {
    const float* corner = dy + (place.image * images.height + place.row) * row_stride + place.column * channels;
    const bool right = place.column + 1 < images.width, below = place.row + 1 < images.height;
    for (int64_t i = 2; i < 4; i++)
      for (int64_t p = 0; p < 2 * block.panels; p++) __builtin_prefetch(corner + i * row_stride + p * kPanel);
    for (int64_t p = 0; p < block.panels; p++) {
      const float* d = corner + p * kPanel;
      const Panel d00 = Load(d), d01 = right ? Load(d + channels) : Panel{};
      const Panel d10 = below ? Load(d + row_stride) : Panel{};
      const Panel d11 = below && right ? Load(d + row_stride + channels) : Panel{};
      const Panel rows[4][2] = {{d00, d01}, {d00 + d10, d01 + d11}, {d00 - d10, d01 - d11}, {-d10, -d11}};
      float* z = to + p * block.panel_stride() + t * kPanel;
      for (int i = 0; i < 4; i++) {
        Store(z + (4 * i) * block.point_stride(), rows[i][0]);
        Store(z + (4 * i + 1) * block.point_stride(), rows[i][0] + rows[i][1]);
        Store(z + (4 * i + 2) * block.point_stride(), rows[i][0] - rows[i][1]);
        Store(z + (4 * i + 3) * block.point_stride(), -rows[i][1]);
      }
    }
  }
}

/** `kTiles` rows of one point's product: sums over all channels of v `[panels][tiles][kPanel]` and u `[channels][kPanel kOut]`. */
template <int kTiles, int kOut>
inline void MultiplyTiles(const Block& in, const float* v, const float* u, const Block& out, float* m) {
  Panel sums[kTiles][kOut] = {};
  for (int64_t p = 0; p < in.panels; p++, v += in.panel_stride()) {
    for (int c = 0; c < kPanel; c++, u += kOut * kPanel) {
      Panel weights[kOut];
      for (int j = 0; j < kOut; j++) weights[j] = Load(u + j * kPanel);
      for (int i = 0; i < kTiles; i++)
        for (int j = 0; j < kOut; j++) sums[i][j] += v[i * kPanel + c] * weights[j];
    }
  }
  for (int i = 0; i < kTiles; i++)
    for (int j = 0; j < kOut; j++) Store(m + j * out.panel_stride() + i * kPanel, sums[i][j]);
}

template <int kTiles, int kOut>
void MultiplyBlock(const Block& in, const float* v, const float* u, const Block& out, float* m) {
  for (int64_t f = 0; f < kPoints; f++)
    for (int64_t q = 0; q < out.panels; q += kOut, u += in.panels * kPanel * kOut * kPanel)
      for (int64_t t = 0; t < in.tiles; t += kTiles)
        MultiplyTiles<kTiles, kOut>(in, v + f * in.point_stride() + t * kPanel, u, out,
                                    m + f * out.point_stride() + q * out.panel_stride() + t * kPanel);
}

/** The same of one panel to one panel, where the weights of a point fit into registers. */
inline void MultiplyPanel(const Block& in, const float* v, const float* u, const Block& out, float* m) {
  constexpr int kTiles = 8;
  for (int64_t f = 0; f < kPoints; f++, u += kPanel * kPanel) {
    Panel weights[kPanel];
    for (int c = 0; c < kPanel; c++) weights[c] = Load(u + c * kPanel);
    for (int64_t t = 0; t < in.tiles; t += kTiles) {
      const float* from = v + f * in.point_stride() + t * kPanel;
      Panel sums[kTiles] = {};
#pragma GCC unroll 16
      for (int c = 0; c < kPanel; c++)
#pragma GCC unroll 16
        for (int i = 0; i < kTiles; i++) sums[i] += from[i * kPanel + c] * weights[c];
      for (int i = 0; i < kTiles; i++) Store(m + f * out.point_stride() + (t + i) * kPanel, sums[i]);
    }
  }
}

/** Output panels that are computed at once: their sums, weights and one value of the inputs fill the registers. */
inline int64_t OutputsAtOnce(int64_t panels) { return kPanel == 16 && panels % 4 == 0 ? 4 : panels % 2 == 0 ? 2 : 1; }

/**
 * `G w G^T` of the kernels from input channel `c` to a panel of outputs from `k` on, as `u [points][wide panels][inputs][wide]`.
 * @param w nine vectors, row by row.
 */
inline void TransformKernel(const Panel w[9], int64_t c, int64_t k, int64_t inputs, int64_t outputs, float* u) {
  Panel rows[4][3];
  for (int j = 0; j < 3; j++) {
    const Panel sum = w[j] + w[6 + j];
    rows[0][j] = w[j];
    rows[1][j] = 0.5f * (sum + w[3 + j]);
    rows[2][j] = 0.5f * (sum - w[3 + j]);
    rows[3][j] = w[6 + j];
  }
  const int64_t wide = OutputsAtOnce(outputs / kPanel) * kPanel;
  float* to = u + (k / wide * inputs + c) * wide + k % wide;
  const int64_t point = inputs * outputs;
  for (int i = 0; i < 4; i++) {
    const Panel sum = rows[i][0] + rows[i][2];
    Store(to + (4 * i) * point, rows[i][0]);
    Store(to + (4 * i + 1) * point, 0.5f * (sum + rows[i][1]));
    Store(to + (4 * i + 2) * point, 0.5f * (sum - rows[i][1]));
    Store(to + (4 * i + 3) * point, rows[i][2]);
  }
}

/** The kernel's vectors from input `c` to outputs `k` and on: as it is, or turned round for the input's gradient. */
inline void LoadKernel(const float* w, bool turned, int64_t c, int64_t k, int64_t inputs, int64_t outputs,
                       Panel to[9]) {
  for (int s = 0; s < 9; s++) {
    if (!turned) {
      to[s] = Load(w + (s * inputs + c) * outputs + k);
    } else {
      // w is [3, 3, outputs, inputs] here: one value a row.
      float values[kPanel];
      for (int64_t i = 0; i < kPanel; i++) values[i] = w[((8 - s) * outputs + k + i) * inputs + c];
      to[s] = Load(values);
    }
  }
}

/** All points' products of a block; `u` as `TransformKernel` leaves it. */
inline void Multiply(const Block& in, const float* v, const float* u, const Block& out, float* m) {
  if constexpr (kPanel == 8) return MultiplyBlock<6, 2>(in, v, u, out, m);
  switch (OutputsAtOnce(out.panels)) {
    case 4:
      return MultiplyBlock<6, 4>(in, v, u, out, m);
    case 2:
      return MultiplyBlock<12, 2>(in, v, u, out, m);
    default:
      return in.panels == 1 && out.panels == 1 ? MultiplyPanel(in, v, u, out, m)
                                               : MultiplyBlock<12, 1>(in, v, u, out, m);
  }
}

/** So many tiles that a block stays in the core's own cache; a multiple of all `kTiles`. */
inline int64_t TilesABlock(int64_t inputs, int64_t outputs) {
  constexpr int64_t kStep = 24, kFloats = 160 * 1024;
  const int64_t fit = kFloats / (kPoints * (inputs + outputs)) / kStep * kStep;
  return std::clamp<int64_t>(fit, 48, 96);
}

/**
 * y `[n, h, w, outputs]` = x `[n, h, w, inputs]` convolved with w `[3, 3, inputs, outputs]`. With `turned`, x is a gradient
 * by a convolution's outputs and w that convolution's kernel `[3, 3, outputs, inputs]`: y is the gradient by its inputs.
 */
inline void Convolve(Pool& pool, const TiledImages& images, int64_t inputs, int64_t outputs, const float* x,
                     const float* w, bool turned, float* y) {
  thread_local Scratch kernels;
  float* u = kernels.Get(kPoints * inputs * outputs);
  pool.Run(inputs / kPanel, [&](int64_t panel) {
    for (int64_t k = 0; k < outputs; k += kPanel)
      for (int64_t c = panel * kPanel; c < (panel + 1) * kPanel; c++) {
        Panel kernel[9];
        LoadKernel(w, turned, c, k, inputs, outputs, kernel);
        TransformKernel(kernel, c, k, inputs, outputs, u);
      }
  });
  const int64_t tiles = TilesABlock(inputs, outputs);
  const Block in{tiles, inputs / kPanel}, out{tiles, outputs / kPanel};
  pool.Run((images.tiles() + tiles - 1) / tiles, [&](int64_t turn) {
    thread_local Scratch scratch;
    float* v = scratch.Get(in.size() + out.size());
    float* m = v + in.size();
    const int64_t first = turn * tiles, count = std::min(tiles, images.tiles() - first);
    GatherInputs(images, x, inputs, first, count, in, v);
    Multiply(in, v, u, out, m);
    ScatterOutputs(images, out, m, first, count, y);
  });
}

/** Adds to sums `[channels][outputs]`, for `kChannels` of a panel and `kOut` panels, the products over tiles. */
template <int kChannels, int kOut>
inline void AddProducts(int64_t count, const float* v, const Block& out, const float* z, int64_t outputs, float* sums) {
  Panel sum[kChannels][kOut];
  for (int i = 0; i < kChannels; i++)
    for (int j = 0; j < kOut; j++) sum[i][j] = Load(sums + i * outputs + j * kPanel);
  for (int64_t t = 0; t < count; t++) {
    Panel gradients[kOut];
    for (int j = 0; j < kOut; j++) gradients[j] = Load(z + j * out.panel_stride() + t * kPanel);
    for (int i = 0; i < kChannels; i++)
      for (int j = 0; j < kOut; j++) sum[i][j] += v[t * kPanel + i] * gradients[j];
  }
  for (int i = 0; i < kChannels; i++)
    for (int j = 0; j < kOut; j++) Store(sums + i * outputs + j * kPanel, sum[i][j]);
}

template <int kChannels, int kOut>
void AddProductsOfBlock(int64_t count, const Block& in, const float* v, const Block& out, const float* z, float* sums) {
  const int64_t outputs = out.panels * kPanel;
  for (int64_t f = 0; f < kPoints; f++)
    for (int64_t p = 0; p < in.panels; p++)
      for (int64_t c = 0; c < kPanel; c += kChannels, sums += kChannels * outputs)
        for (int64_t q = 0; q < out.panels; q += kOut)
          AddProducts<kChannels, kOut>(count, v + f * in.point_stride() + p * in.panel_stride() + c,
                                       out, z + f * out.point_stride() + q * out.panel_stride(), outputs,
                                       sums + q * kPanel);
}

/**
 * How a kernel's gradient is shared out, a function of the shapes alone: its input channels in `slices` and the blocks of
 * tiles in `groups`, whose sums are kept apart until the end.
 */
struct GradientParts {
  int64_t slices, groups;

  GradientParts(int64_t blocks, int64_t input_panels) {
    constexpr int64_t kPanelsASlice = 128 / kPanel, kParts = 8;
    slices = 1;
    while (input_panels % (2 * slices) == 0 && input_panels / slices > kPanelsASlice) slices *= 2;
    groups = std::clamp<int64_t>(kParts / slices, 1, blocks);
  }
};

/**
 * `G^T s G` for a panel of outputs of one input channel.
 * @param sums `[groups][points][inputs][outputs]` at that channel and the first of those outputs; `inputs` of the slice.
 * @param dw at that channel and output, of a row and column of the kernel `kernel_stride` values after the last.
 */
inline void KernelGradient(const float* sums, int64_t groups, int64_t group_stride, int64_t point_stride, float* dw,
                           int64_t kernel_stride) {
  Panel s[16];
  for (int f = 0; f < 16; f++) {
    const float* from = sums + f * point_stride;
    s[f] = Load(from);
    for (int64_t g = 1; g < groups; g++) s[f] += Load(from + g * group_stride);
  }
  Panel rows[3][4];
  for (int j = 0; j < 4; j++) {
    const Panel half = 0.5f * (s[4 + j] + s[8 + j]);
    rows[0][j] = s[j] + half;
    rows[1][j] = 0.5f * (s[4 + j] - s[8 + j]);
    rows[2][j] = half + s[12 + j];
  }
  for (int i = 0; i < 3; i++, dw += 3 * kernel_stride) {
    const Panel half = 0.5f * (rows[i][1] + rows[i][2]);
    Store(dw, rows[i][0] + half);
    Store(dw + kernel_stride, 0.5f * (rows[i][1] - rows[i][2]));
    Store(dw + 2 * kernel_stride, half + rows[i][3]);
  }
}

/** dw `[3, 3, inputs, outputs]`, the gradient of `Convolve` by its kernel. */
inline void ConvolveGradKernel(Pool& pool, const TiledImages& images, int64_t inputs, int64_t outputs, const float* x,
                               const float* dy, float* dw) {
  const int64_t tiles = TilesABlock(inputs, outputs);
  const int64_t blocks = (images.tiles() + tiles - 1) / tiles;
  if (blocks == 0) {
    std::fill_n(dw, 9 * inputs * outputs, 0.0f);
    return;
  }
  const GradientParts parts(blocks, inputs / kPanel);
  const Block in{tiles, inputs / kPanel / parts.slices}, out{tiles, outputs / kPanel};
  const int64_t slice_inputs = in.panels * kPanel, point = slice_inputs * outputs, part = kPoints * point;
  thread_local Scratch all_sums;
  // [slices][groups][points][inputs of a slice][outputs]
  float* sums = all_sums.Get(parts.slices * parts.groups * part);
  pool.Run(parts.slices * parts.groups, [&](int64_t turn) {
    thread_local Scratch scratch;
    float* v = scratch.Get(in.size() + out.size());
    float* z = v + in.size();
    const int64_t slice = turn / parts.groups, group = turn % parts.groups;
    std::fill_n(sums + turn * part, part, 0.0f);
    for (int64_t block = blocks * group / parts.groups; block < blocks * (group + 1) / parts.groups; block++) {
      const int64_t first = block * tiles, count = std::min(tiles, images.tiles() - first);
      GatherInputs(images, x + slice * slice_inputs, inputs, first, count, in, v);
      GatherGradients(images, dy, first, count, out, z);
      if constexpr (kPanel == 8)
        AddProductsOfBlock<4, 2>(count, in, v, out, z, sums + turn * part);
      else if (out.panels % 2 == 0)
        AddProductsOfBlock<8, 2>(count, in, v, out, z, sums + turn * part);
      else
        AddProductsOfBlock<16, 1>(count, in, v, out, z, sums + turn * part);
    }
  });
  pool.Run(inputs / kPanel, [&](int64_t panel) {
    for (int64_t c = panel * kPanel; c < (panel + 1) * kPanel; c++) {
      const float* own = sums + c / slice_inputs * parts.groups * part + c % slice_inputs * outputs;
      for (int64_t k = 0; k < outputs; k += kPanel)
        KernelGradient(own + k, parts.groups, part, point, dw + c * outputs + k, inputs * outputs);
    }
  });
}
