/**
 * The seam between training and whatever computes: everything above it (network, sgd, retrain, evaluate) runs on any
 * `Engine`, and nothing above it imports TensorFlow.js.
 *
 * Rules that hold for every operation:
 * - All values are float32 and dense. Images and activations are channels-last, `[N, H, W, C]`.
 * - Arguments are borrowed: an operation never disposes or changes one, except where it says so (`Variable`s).
 * - Every returned `Tensor` is fresh and belongs to the caller, who disposes it exactly once.
 * - Calls return when the work is done or safely queued; `read` waits for the values. Nothing here is asynchronous, so
 *   whoever trains yields to the event loop between steps.
 * - The same calls with the same arguments give the same bits (given engine and thread count).
 *
 * There is no automatic differentiation: each operation stands beside its gradient, and `Network` calls them in
 * reverse. Gradients of gradients are deliberately not in it. An operation joins when a network needs it, always with
 * its gradient.
 */
export interface Engine {
  readonly name: EngineName;
  /** For people and provenance: library, version, device, threads. */
  readonly description: string;

  /** Copies `values` (row-major) in; changing them afterwards changes nothing here. */
  tensor(values: Float32Array, shape: Shape): Tensor;
  /** Class indices, shape `[N]`, for `softmaxCrossEntropy`. Copied. */
  labels(values: Int32Array): Tensor;
  /** A weight or a running statistic, initialised with a copy of `values`. The caller disposes it. */
  variable(values: Float32Array, shape: Shape): Variable;
  /** Replaces a variable's values. */
  assign(variable: Variable, values: Float32Array): void;
  /** A copy of the values, row-major. */
  read(source: Tensor | Variable): Float32Array;

  /**
   * Cross-correlation with zero padding. With groups, each group of input channels makes its own group of outputs.
   * @param x `[N, H, W, cIn]`
   * @param kernel `[kH, kW, cIn / groups, cOut]`
   * @returns `[N, H', W', cOut]`, H' = floor((H + 2 padding - kH) / stride) + 1
   */
  conv2d(x: Tensor, kernel: Variable, geometry: ConvGeometry): Tensor;
  /** dL/dx of `conv2d`: `dy` `[N, H', W', cOut]` -> `xShape` `[N, H, W, cIn]`. */
  conv2dGradInput(dy: Tensor, kernel: Variable, xShape: Shape, geometry: ConvGeometry): Tensor;
  /** dL/dkernel of `conv2d`: -> `[kH, kW, cIn / groups, cOut]`. */
  conv2dGradKernel(dy: Tensor, x: Tensor, kernelShape: Shape, geometry: ConvGeometry): Tensor;

  /**
   * Batch normalisation over N, H, W with the batch's own statistics (the biased variance), then ReLU where `relu`.
   * Moves the running statistics, as PyTorch does: `r = (1 - momentum) r + momentum b`, with the unbiased variance.
   * @param x `[N, H, W, C]`
   * @returns `y` `[N, H, W, C]`, and what `batchNormGrad` wants back, to be disposed by the caller like `y`.
   */
  batchNormTrain(x: Tensor, norm: BatchNorm, options: BatchNormOptions): { y: Tensor; saved: readonly Tensor[] };
  /**
   * Gradient of `batchNormTrain`.
   * @param dy dL/dy `[N, H, W, C]`, before the ReLU's gradient is taken: it is taken in here.
   * @param y what `batchNormTrain` returned; read only where `relu`.
   * @returns `dx` `[N, H, W, C]`, `dScale` and `dOffset` `[C]`.
   */
  batchNormGrad(
    dy: Tensor,
    x: Tensor,
    y: Tensor,
    norm: BatchNorm,
    saved: readonly Tensor[],
    options: BatchNormOptions,
  ): { dx: Tensor; dScale: Tensor; dOffset: Tensor };
  /** The same with the running statistics, which stay as they are. */
  batchNormInfer(x: Tensor, norm: BatchNorm, options: BatchNormOptions): Tensor;

  /** `dy` where `y > 0`, else 0; `y` is the ReLU's result. Any shape. */
  reluGrad(dy: Tensor, y: Tensor): Tensor;

  /** `a + b`, of one shape, then ReLU where `relu`. */
  add(a: Tensor, b: Tensor, options?: { readonly relu?: boolean }): Tensor;

  /** `a b`, element by element, of one shape; by `a` its gradient is `multiply(dy, b)`. */
  multiply(a: Tensor, b: Tensor): Tensor;

  /** `factor x`; its gradient is `scale(dy, factor)`. */
  scale(x: Tensor, factor: number): Tensor;

  /** `x` + `bias` `[C]`, any shape that ends in C, then ReLU where `relu`. */
  addBias(x: Tensor, bias: Variable, options?: { readonly relu?: boolean }): Tensor;
  /** dL/dbias of `addBias`: `dy` (its ReLU's gradient already taken) -> `[C]`. */
  biasGrad(dy: Tensor): Tensor;

  /** `[N, H, W, C_i]` side by side -> `[N, H, W, sum of C_i]`, then ReLU where `relu`. Its gradient is `split`. */
  concat(inputs: readonly Tensor[], options?: { readonly relu?: boolean }): Tensor;
  /** Cuts `[N, H, W, C]` into parts of so many `channels`, whose sum is C. Its gradient is `concat`. */
  split(x: Tensor, channels: readonly number[]): Tensor[];

  /** Largest value of each window; padding never is: `[N, H, W, C]` -> `[N, H', W', C]`, sizes as in `conv2d`. */
  maxPool(x: Tensor, geometry: PoolGeometry): Tensor;
  /** `y` is what `maxPool` returned; where a window has its largest value several times, the first one gets `dy`. */
  maxPoolGrad(dy: Tensor, x: Tensor, y: Tensor, geometry: PoolGeometry): Tensor;
  /** Mean of each window, in which padding counts as zeros (PyTorch's default). */
  avgPool(x: Tensor, geometry: PoolGeometry): Tensor;
  /** `dy` `[N, H', W', C]` -> `xShape` `[N, H, W, C]`. */
  avgPoolGrad(dy: Tensor, xShape: Shape, geometry: PoolGeometry): Tensor;

  /** Mean over H and W: `[N, H, W, C]` -> `[N, C]`. */
  globalAvgPool(x: Tensor): Tensor;
  /** `dy` `[N, C]` -> `xShape` `[N, H, W, C]`. */
  globalAvgPoolGrad(dy: Tensor, xShape: Shape): Tensor;

  /**
   * `x weight^T + bias`.
   * @param x `[N, in]`
   * @param weight `[out, in]`, PyTorch's layout
   * @param bias `[out]`
   */
  linear(x: Tensor, weight: Variable, bias: Variable): Tensor;
  /** Gradient of `linear`: `dy` `[N, out]` -> `dx` `[N, in]`, `dWeight` `[out, in]`, `dBias` `[out]`. */
  linearGrad(dy: Tensor, x: Tensor, weight: Variable): { dx: Tensor; dWeight: Tensor; dBias: Tensor };

  /**
   * Mean cross-entropy of softmax(logits) against the labels, and its gradient, at once.
   * @param logits `[N, classes]`
   * @param labels of `labels()`, `[N]`
   * @returns `loss` `[N]`, one an image; `dLogits` `[N, classes]` of the mean loss.
   */
  softmaxCrossEntropy(logits: Tensor, labels: Tensor): { loss: Tensor; dLogits: Tensor };

  /** PyTorch's SGD for a group of variables of one learning rate; it holds their velocities, zero at first. */
  sgd(variables: readonly Variable[], options: SgdOptions): SgdGroup;

  /** Live tensors and variables (with the velocities of live `SgdGroup`s), for tests and leak checks. */
  memory(): { readonly tensors: number };
}

export type EngineName = 'tensorflow' | 'wasm';
export type Shape = readonly number[];

/** Values on the engine's device. Opaque to everyone else; one engine's tensors mean nothing to another. */
export interface Tensor {
  readonly shape: Shape;
  dispose(): void;
}

/** A place whose values training replaces: `SgdGroup.step`, `batchNormTrain` and `assign` write to it. */
export interface Variable {
  readonly shape: Shape;
  /** Tells a `Variable` from a `Tensor`: a function that wants one must not be given the other. */
  readonly kind: 'variable';
  dispose(): void;
}

/** A convolution's geometry, the same in both directions. */
export interface ConvGeometry {
  readonly stride: number;
  /** Rows and columns of zeros on each side, as PyTorch counts them (TensorFlow's `SAME` differs at stride 2). */
  readonly padding: number;
  /** Divides cIn and cOut; 1 where it is not given. */
  readonly groups?: number;
}

/** A pooling window's geometry. */
export interface PoolGeometry {
  /** Rows and columns of the window. */
  readonly kernel: number;
  readonly stride: number;
  /** On each side, at most half the window. */
  readonly padding: number;
}

/** Variables of shape `[C]`. */
export interface BatchNorm {
  readonly scale: Variable;
  readonly offset: Variable;
  readonly runningMean: Variable;
  readonly runningVariance: Variable;
}

export interface BatchNormOptions {
  /** A ReLU follows: engines fuse it where they can. */
  readonly relu: boolean;
  readonly epsilon: number;
  /** Weight of the batch in the running statistics (PyTorch's convention: 0.1). */
  readonly momentum: number;
}

export interface SgdOptions {
  readonly momentum: number;
  /** L2 penalty, added to the gradient. */
  readonly weightDecay: number;
}

export interface SgdGroup {
  /**
   * `v = momentum v + (g + weightDecay w)`, then `w = w - learningRate v`.
   * @param gradients one a variable, in order; borrowed.
   */
  step(gradients: readonly Tensor[], learningRate: number): void;
  /** A copy of the velocities, one a variable, in order; in the engine's own layout. */
  velocities(): Float32Array[];
  /** Replaces them by what `velocities` of the same engine gave. */
  load(velocities: readonly Float32Array[]): void;
  /** Frees the velocities; the variables stay. */
  dispose(): void;
}
