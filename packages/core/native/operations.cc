// Operations that TensorFlow lacks, registered with it through its C interface when the binding loads (CPU only).
//
// Each fuses what TensorFlow computes in several passes over memory, and reads slices of channels where they lie
// instead of from a copy. float32, channels-last. docs/decisions/0170 says what they gain.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "batch_norm.h"
#include "parallel.h"
#include "rows.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_status.h"
#include "tensorflow/c/tf_tensor.h"
#include "winograd.h"

namespace nesgd {
namespace {

/** Threads as TensorFlow is told them, before it loads. */
Pool& ThePool() {
  static Pool* pool = [] {
    const char* threads = std::getenv("TF_NUM_INTRAOP_THREADS");
    return new Pool(threads ? std::atoi(threads) : 1);
  }();
  return *pool;
}

class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  operator TF_Status*() const { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  void Fail(const char* message, TF_Code code = TF_INVALID_ARGUMENT) { TF_SetStatus(status_, code, message); }
  void Take(const Status& other) { TF_SetStatus(status_, TF_GetCode(other), TF_Message(other)); }

 private:
  TF_Status* status_;
};

class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}
  ~Tensor() { TF_DeleteTensor(tensor_); }
  Tensor(const Tensor&) = delete;
  Tensor(Tensor&& other) noexcept : tensor_(other.tensor_) { other.tensor_ = nullptr; }
  float* data() const { return static_cast<float*>(TF_TensorData(tensor_)); }
  std::vector<int64_t> shape() const {
    std::vector<int64_t> shape(TF_NumDims(tensor_));
    for (size_t i = 0; i < shape.size(); i++) shape[i] = TF_Dim(tensor_, i);
    return shape;
  }
  int64_t size() const { return TF_TensorElementCount(tensor_); }
  int64_t channels() const { return TF_NumDims(tensor_) == 0 ? 1 : TF_Dim(tensor_, TF_NumDims(tensor_) - 1); }
  int64_t rows() const { return channels() == 0 ? 0 : size() / channels(); }

 private:
  TF_Tensor* tensor_;
};

/** One call of an operation. A wrong argument becomes the call's error, never a wrong access. */
class Call {
 public:
  explicit Call(TF_OpKernelContext* context) : context_(context) {}

  ~Call() {
    if (!status_.ok()) TF_OpKernelContext_Failure(context_, status_);
  }

  Tensor Input(int i) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context_, i, &tensor, status_);
    return Tensor(tensor);
  }

  /** Without memory the call is not `ok` any more, and the tensor must not be touched. */
  Tensor Output(int i, const std::vector<int64_t>& shape) {
    int64_t size = 1;
    for (int64_t length : shape) size *= length;
    Status allocated;  // Of its own: the next output's would take its place.
    Tensor tensor(
        TF_AllocateOutput(context_, i, TF_FLOAT, shape.data(), shape.size(), size * sizeof(float), allocated));
    if (!allocated.ok() && status_.ok()) status_.Take(allocated);
    return tensor;
  }

  bool ok() const { return status_.ok(); }

  bool Require(bool holds, const char* otherwise) {
    if (!holds && status_.ok()) status_.Fail(otherwise);
    return holds;
  }

 private:
  TF_OpKernelContext* context_;
  Status status_;
};

/** Attributes, read once an operation; all that any of them has. */
struct Attributes {
  float epsilon = 0;
  float momentum = 0;
  float weight_decay = 0;
  bool relu = false;
  bool training = false;
  bool turned = false;
  /** First channel of each input that is a slice, and its number of channels. */
  std::vector<int64_t> offsets, channels;
};

std::vector<int64_t> GetInts(TF_OpKernelConstruction* construction, const char* name, Status& status) {
  int32_t count = 0, total = 0;
  TF_OpKernelConstruction_GetAttrSize(construction, name, &count, &total, status);
  std::vector<int64_t> values(status.ok() && count > 0 ? count : 0);
  if (!values.empty()) TF_OpKernelConstruction_GetAttrInt64List(construction, name, values.data(), count, status);
  return values;
}

void* ReadAttributes(TF_OpKernelConstruction* construction) {
  auto* attributes = new Attributes;
  Status status;
  const auto get_bool = [&](const char* name, bool& value) {
    if (!TF_OpKernelConstruction_HasAttr(construction, name, status)) return;
    TF_Bool given = 0;
    TF_OpKernelConstruction_GetAttrBool(construction, name, &given, status);
    value = given;
  };
  const auto get_float = [&](const char* name, float& value) {
    if (TF_OpKernelConstruction_HasAttr(construction, name, status))
      TF_OpKernelConstruction_GetAttrFloat(construction, name, &value, status);
  };
  get_bool("relu", attributes->relu);
  get_bool("training", attributes->training);
  get_bool("turned", attributes->turned);
  get_float("epsilon", attributes->epsilon);
  get_float("momentum", attributes->momentum);
  get_float("weight_decay", attributes->weight_decay);
  if (TF_OpKernelConstruction_HasAttr(construction, "offsets", status)) {
    attributes->offsets = GetInts(construction, "offsets", status);
    attributes->channels = GetInts(construction, "channels", status);
  }
  if (!status.ok()) TF_OpKernelConstruction_Failure(construction, status);
  return attributes;
}

void DeleteAttributes(void* attributes) { delete static_cast<Attributes*>(attributes); }

/** Whether input `i` has the channels that its attributes name. */
bool SliceFits(const Attributes& attributes, size_t i, const Tensor& tensor) {
  return i < attributes.offsets.size() && i < attributes.channels.size() && attributes.offsets[i] >= 0 &&
         attributes.channels[i] > 0 && attributes.offsets[i] + attributes.channels[i] <= tensor.channels();
}

Rows SliceOf(const Attributes& attributes, size_t i, const Tensor& tensor) {
  return Rows(tensor.data() + attributes.offsets[i], tensor.channels(), tensor.rows());
}

std::vector<int64_t> WithChannels(std::vector<int64_t> shape, int64_t channels) {
  shape.back() = channels;
  return shape;
}

/**
 * x, scale, offset, running mean, running variance -> y, new running mean and variance, and of the batch its mean and
 * the inverse of its deviation. Without `training` the running statistics are used, and returned as they are.
 */
void BatchNorm(void* kernel, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const Tensor x = call.Input(0), scale = call.Input(1), offset = call.Input(2), running_mean = call.Input(3),
               running_variance = call.Input(4);
  const int64_t rows = x.rows(), channels = x.channels();
  if (!call.Require(rows > 0 && scale.size() == channels && offset.size() == channels &&
                        running_mean.size() == channels && running_variance.size() == channels,
                    "NesgdBatchNorm: x wants pixels, and one scale, offset, mean and variance a channel"))
    return;
  const Tensor y = call.Output(0, x.shape());
  const std::vector<int64_t> vector{channels};
  const Tensor next_mean = call.Output(1, vector), next_variance = call.Output(2, vector),
               saved_mean = call.Output(3, vector), saved_inverse = call.Output(4, vector);
  if (!call.ok()) return;

  const BatchNormShape shape(rows, channels, true);
  const Rows all(x.data(), channels, rows);
  std::vector<float> mean(running_mean.data(), running_mean.data() + channels);
  std::vector<float> variance(running_variance.data(), running_variance.data() + channels);
  if (attributes.training) Moments(ThePool(), shape, all, mean, variance);
  const float momentum = attributes.training ? attributes.momentum : 0;
  const float unbiased = rows > 1 ? static_cast<float>(rows) / static_cast<float>(rows - 1) : 1;
  for (int64_t c = 0; c < channels; c++) {
    next_mean.data()[c] = (1 - momentum) * running_mean.data()[c] + momentum * mean[c];
    next_variance.data()[c] = (1 - momentum) * running_variance.data()[c] + momentum * (variance[c] * unbiased);
    saved_mean.data()[c] = mean[c];
    saved_inverse.data()[c] = 1 / std::sqrt(variance[c] + attributes.epsilon);
  }
  const Affine affine(channels, scale.data(), offset.data(), saved_mean.data(), saved_inverse.data());
  ApplyAffine(ThePool(), shape, all, affine, attributes.relu, y.data());
}

/**
 * dy, x, scale, offset, and the batch's mean and inverse deviation -> dx, dScale, dOffset. `offsets` and `channels`:
 * of dy and x, which may be slices.
 */
void BatchNormGrad(void* kernel, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const Tensor dy = call.Input(0), x = call.Input(1), scale = call.Input(2), offset = call.Input(3),
               mean = call.Input(4), inverse = call.Input(5);
  const int64_t rows = x.rows(), channels = scale.size();
  if (!call.Require(rows > 0 && dy.rows() == rows && SliceFits(attributes, 0, dy) && SliceFits(attributes, 1, x) &&
                        attributes.channels[0] == channels && attributes.channels[1] == channels &&
                        offset.size() == channels && mean.size() == channels && inverse.size() == channels,
                    "NesgdBatchNormGrad: dy and x want the same pixels and channels, and one value a channel the rest"))
    return;
  const Tensor dx = call.Output(0, WithChannels(x.shape(), channels));
  const Tensor d_scale = call.Output(1, {channels}), d_offset = call.Output(2, {channels});
  if (!call.ok()) return;

  const BatchNormShape shape(rows, channels, x.channels() == channels && dy.channels() == channels);
  const Rows wide_dy = SliceOf(attributes, 0, dy).folded(shape.fold),
             wide_x = SliceOf(attributes, 1, x).folded(shape.fold);
  const Affine affine(channels, scale.data(), offset.data(), mean.data(), inverse.data());
  const auto a = Repeat(affine.a, shape.fold), b = Repeat(affine.b, shape.fold),
             m = Repeat(std::vector<float>(mean.data(), mean.data() + channels), shape.fold);
  ChannelSums sums(shape.chunks.count(), shape.width());
  const auto chunk_of = [&](const Rows& all, int64_t chunk) { return all.from(shape.chunks.begin(chunk)); };
  const auto rows_of = [&](int64_t chunk) { return shape.chunks.end(chunk) - shape.chunks.begin(chunk); };
  ThePool().Run(shape.chunks.count(), [&](int64_t chunk) {
    AddGradients(chunk_of(wide_dy, chunk), chunk_of(wide_x, chunk), rows_of(chunk), shape.width(), m.data(), a.data(),
                 b.data(), attributes.relu, sums.first(chunk), sums.second(chunk));
  });
  const auto sum = sums.Total(false, channels), dot = sums.Total(true, channels);
  std::vector<float> p(channels), q(channels);
  for (int64_t c = 0; c < channels; c++) {
    const double inv = inverse.data()[c];
    d_offset.data()[c] = static_cast<float>(sum[c]);
    d_scale.data()[c] = static_cast<float>(dot[c] * inv);
    p[c] = static_cast<float>(-affine.a[c] * inv * inv * dot[c] / rows);
    q[c] = static_cast<float>(-affine.a[c] * sum[c] / rows - static_cast<double>(mean.data()[c]) * p[c]);
  }
  const auto wide_p = Repeat(p, shape.fold), wide_q = Repeat(q, shape.fold);
  ThePool().Run(shape.chunks.count(), [&](int64_t turn) {
    const int64_t chunk = shape.chunks.backwards(turn);
    GradRows(chunk_of(wide_dy, chunk), chunk_of(wide_x, chunk), rows_of(chunk), shape.width(), a.data(), b.data(),
             wide_p.data(), wide_q.data(), attributes.relu, dx.data() + shape.chunks.begin(chunk) * shape.width());
  });
}

NESGD_SIMD void AddRows(Rows a, Rows b, int64_t rows, int64_t channels, bool relu, float* __restrict y) {
  for (int64_t r = 0; r < rows; r++, y += channels) {
    const float *__restrict ar = a.at(r), *__restrict br = b.at(r);
    a.fetch(r, 1, channels);
    b.fetch(r, 1, channels);
    if (relu) {
      for (int64_t c = 0; c < channels; c++) {
        const float v = ar[c] + br[c];
        y[c] = v > 0 ? v : 0;
      }
    } else {
      for (int64_t c = 0; c < channels; c++) y[c] = ar[c] + br[c];
    }
  }
}

/** a, b -> a + b, then ReLU; both may be slices. */
void Add(void* kernel, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const Tensor a = call.Input(0), b = call.Input(1);
  if (!call.Require(a.rows() == b.rows() && SliceFits(attributes, 0, a) && SliceFits(attributes, 1, b) &&
                        attributes.channels[0] == attributes.channels[1],
                    "NesgdAdd: a and b want the same pixels and channels"))
    return;
  const int64_t channels = attributes.channels[0];
  const Tensor y = call.Output(0, WithChannels(a.shape(), channels));
  if (!call.ok()) return;
  const int64_t fold = FoldOf(a.rows(), channels, a.channels() == channels && b.channels() == channels);
  const Rows left = SliceOf(attributes, 0, a).folded(fold), right = SliceOf(attributes, 1, b).folded(fold);
  const Chunks chunks(a.rows() / fold, channels * fold);
  ThePool().Run(chunks.count(), [&](int64_t chunk) {
    const int64_t begin = chunks.begin(chunk);
    AddRows(left.from(begin), right.from(begin), chunks.end(chunk) - begin, channels * fold, attributes.relu,
            y.data() + begin * channels * fold);
  });
}

NESGD_SIMD void CopyRows(Rows x, int64_t rows, int64_t channels, bool relu, float* __restrict y, int64_t y_stride) {
  for (int64_t r = 0; r < rows; r++, y += y_stride) {
    const float* __restrict xr = x.at(r);
    if (relu) {
      for (int64_t c = 0; c < channels; c++) y[c] = xr[c] > 0 ? xr[c] : 0;
    } else {
      for (int64_t c = 0; c < channels; c++) y[c] = xr[c];
    }
  }
}

/** Inputs, each perhaps a slice, side by side, then ReLU. */
void Concat(void* kernel, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  std::vector<Tensor> inputs;
  for (int i = 0; i < TF_NumInputs(context); i++) inputs.push_back(call.Input(i));
  bool fits = !inputs.empty();
  int64_t channels = 0;
  for (size_t i = 0; fits && i < inputs.size(); i++) {
    fits = SliceFits(attributes, i, inputs[i]) && inputs[i].rows() == inputs[0].rows();
    if (fits) channels += attributes.channels[i];
  }
  if (!call.Require(fits, "NesgdConcat: all inputs want the same pixels, and the channels that are asked of them"))
    return;
  const Tensor y = call.Output(0, WithChannels(inputs[0].shape(), channels));
  if (!call.ok()) return;
  const Chunks chunks(inputs[0].rows(), channels);
  ThePool().Run(chunks.count(), [&](int64_t chunk) {
    const int64_t begin = chunks.begin(chunk);
    float* to = y.data() + begin * channels;
    for (size_t i = 0; i < inputs.size(); i++) {
      const Rows from = SliceOf(attributes, i, inputs[i]);
      CopyRows(from.from(begin), chunks.end(chunk) - begin, attributes.channels[i], attributes.relu, to,
               channels);
      to += attributes.channels[i];
    }
  });
}

NESGD_SIMD void Descend(int64_t values, float rate, float momentum, float weight_decay, const float* __restrict g,
                        float* __restrict v, float* __restrict w) {
  for (int64_t i = 0; i < values; i++) {
    v[i] = momentum * v[i] + (g[i] + weight_decay * w[i]);
    w[i] -= rate * v[i];
  }
}

/**
 * N weights, N velocities, N gradients and a learning rate: v = momentum v + (g + weight_decay w), w = w - rate v, all of
 * them at once and in place: whoever calls it sees to it that nobody else holds on to weights and velocities.
 */
void Sgd(void* kernel, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const int inputs = TF_NumInputs(context), count = (inputs - 1) / 3;
  std::vector<Tensor> tensors;
  for (int i = 0; i < inputs; i++) tensors.push_back(call.Input(i));
  struct Piece {
    int variable;
    int64_t begin, end;
  };
  std::vector<Piece> pieces;
  bool fits = inputs == 3 * count + 1 && tensors.back().size() == 1;
  for (int i = 0; fits && i < count; i++) {
    const int64_t size = tensors[i].size();
    fits = tensors[count + i].size() == size && tensors[2 * count + i].size() == size;
    for (int64_t begin = 0; begin < size; begin += kChunkValues)
      pieces.push_back({i, begin, begin + kChunkValues < size ? begin + kChunkValues : size});
  }
  if (!call.Require(fits, "NesgdSgd: each weight wants a velocity and a gradient of its size")) return;
  const float rate = *tensors.back().data();
  // A few pieces a turn, as most variables are short.
  constexpr int64_t kPiecesATurn = 8;
  const int64_t turns = (pieces.size() + kPiecesATurn - 1) / kPiecesATurn;
  ThePool().Run(turns, [&](int64_t turn) {
    const size_t end = std::min<size_t>(pieces.size(), (turn + 1) * kPiecesATurn);
    for (size_t i = turn * kPiecesATurn; i < end; i++) {
      const auto [variable, from, to] = pieces[i];
      Descend(to - from, rate, attributes.momentum, attributes.weight_decay,
              tensors[2 * count + variable].data() + from, tensors[count + variable].data() + from,
              tensors[variable].data() + from);
    }
  });
}

constexpr const char* kNoWinograd = "3x3 convolutions by Winograd's algorithm want a processor with AVX-512, or with AVX2 and FMA";

/** Whether images `[n, h, w, c]` have channels that fill vectors. */
bool FillsPanels(const std::vector<int64_t>& shape) {
  return shape.size() == 4 && shape[1] > 0 && shape[2] > 0 && shape[3] > 0 && shape[3] % kChannelStep == 0;
}

/**
 * x `[n, h, w, c]` and w `[3, 3, c, k]` -> y `[n, h, w, k]`, of stride and padding 1. `turned`: x is the gradient by the
 * outputs of a convolution with the kernel w `[3, 3, k, c]`, y the one by its inputs.
 */
void Conv3x3(void* kernel, TF_OpKernelContext* context) {
  const auto& attributes = *static_cast<Attributes*>(kernel);
  Call call(context);
  const Tensor x = call.Input(0), w = call.Input(1);
  const auto images = x.shape(), weights = w.shape();
  const size_t from = attributes.turned ? 3 : 2, to = attributes.turned ? 2 : 3;
  if (!call.Require(Winograd().convolve != nullptr, kNoWinograd) ||
      !call.Require(FillsPanels(images) && weights.size() == 4 && weights[0] == 3 && weights[1] == 3 &&
                        weights[from] == images[3] && weights[to] > 0 && weights[to] % kChannelStep == 0,
                    "NesgdConv3x3: x wants [n, h, w, c], w [3, 3, c, k], and c and k to be multiples of 16"))
    return;
  const Tensor y = call.Output(0, WithChannels(images, weights[to]));
  if (!call.ok()) return;
  Winograd().convolve(ThePool(), {images[0], images[1], images[2]}, images[3], weights[to], x.data(), w.data(),
                      attributes.turned, y.data());
}

/** x `[n, h, w, c]` and dy `[n, h, w, k]` -> dw `[3, 3, c, k]`. */
void Conv3x3GradKernel(void*, TF_OpKernelContext* context) {
  Call call(context);
  const Tensor x = call.Input(0), dy = call.Input(1);
  const auto images = x.shape(), gradients = dy.shape();
  if (!call.Require(Winograd().convolve != nullptr, kNoWinograd) ||
      !call.Require(FillsPanels(images) && FillsPanels(gradients) && WithChannels(images, gradients[3]) == gradients,
                    "NesgdConv3x3GradKernel: x wants [n, h, w, c], dy [n, h, w, k], c and k to be multiples of 16"))
    return;
  const Tensor dw = call.Output(0, {3, 3, images[3], gradients[3]});
  if (!call.ok()) return;
  Winograd().convolve_grad_kernel(ThePool(), {images[0], images[1], images[2]}, images[3], gradients[3], x.data(),
                                  dy.data(), dw.data());
}

/** Without memory an operation fails as TensorFlow's do; an exception that left it would end the process. */
template <void (*compute)(void*, TF_OpKernelContext*)>
void Guarded(void* kernel, TF_OpKernelContext* context) {
  try {
    compute(kernel, context);
  } catch (const std::bad_alloc&) {
    Status status;
    status.Fail("out of memory (allocation failed in an operation of ours)", TF_RESOURCE_EXHAUSTED);
    TF_OpKernelContext_Failure(context, status);
  }
}

void Register(const char* name, void (*compute)(void*, TF_OpKernelContext*), const std::vector<const char*>& inputs,
              const std::vector<const char*>& outputs, const std::vector<const char*>& attributes,
              bool changes_inputs = false) {
  auto* builder = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(builder, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(builder, output);
  for (const char* attribute : attributes) TF_OpDefinitionBuilderAddAttr(builder, attribute);
  TF_OpDefinitionBuilderSetIsStateful(builder, changes_inputs);
  Status status;
  TF_RegisterOpDefinition(builder, status);
  if (status.ok())
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", ReadAttributes, compute, DeleteAttributes), status);
  if (!status.ok()) std::fprintf(stderr, "registering %s: %s\n", name, TF_Message(status));
}

const bool registered = [] {
  Register("NesgdBatchNorm", Guarded<BatchNorm>,
           {"x: float", "scale: float", "offset: float", "running_mean: float", "running_variance: float"},
           {"y: float", "next_mean: float", "next_variance: float", "saved_mean: float", "saved_inverse: float"},
           {"epsilon: float", "momentum: float", "training: bool", "relu: bool"});
  Register("NesgdBatchNormGrad", Guarded<BatchNormGrad>,
           {"dy: float", "x: float", "scale: float", "offset: float", "mean: float", "inverse: float"},
           {"dx: float", "d_scale: float", "d_offset: float"},
           {"relu: bool", "offsets: list(int)", "channels: list(int)"});
  Register("NesgdAdd", Guarded<Add>, {"a: float", "b: float"}, {"y: float"},
           {"relu: bool", "offsets: list(int)", "channels: list(int)"});
  Register("NesgdSgd", Guarded<Sgd>,
           {"weights: N * float", "velocities: N * float", "gradients: N * float", "learning_rate: float"}, {},
           {"N: int >= 1", "momentum: float", "weight_decay: float"}, true);
  Register("NesgdConv3x3", Guarded<Conv3x3>, {"x: float", "w: float"}, {"y: float"}, {"turned: bool"});
  Register("NesgdConv3x3GradKernel", Guarded<Conv3x3GradKernel>, {"x: float", "dy: float"}, {"dw: float"}, {});
  Register("NesgdConcat", Guarded<Concat>, {"inputs: N * float"}, {"y: float"},
           {"N: int >= 1", "relu: bool", "offsets: list(int)", "channels: list(int)"});
  return true;
}();

}  // namespace
}  // namespace nesgd
