/**
 * The forward pass of a residual network, straight from a safetensors file, in double precision and plain loops. It
 * shares nothing with the engines or with our reader of the format: names, layouts `[out, in, kH, kW]` and
 * meanings are PyTorch's, and a test holds it against PyTorch's own logits.
 */

interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
export type StateDict = ReadonlyMap<string, Tensor>;

/** Images or activations: `[C, H, W]` */
interface Activation {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
}

interface SafetensorsHeader {
  readonly [name: string]: {
    readonly dtype: string;
    readonly shape: number[];
    readonly data_offsets: [number, number];
  };
}

/** https://huggingface.co/docs/safetensors: eight bytes of length, a JSON header, then the values. */
export function stateDict(file: Uint8Array): { tensors: StateDict; metadata: Record<string, string> } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const { __metadata__, ...entries } = JSON.parse(
    new TextDecoder().decode(file.subarray(8, start)),
  ) as SafetensorsHeader;
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(entries)) {
    if (dtype !== 'F32') throw new Error(`${name} is ${dtype}`);
    const [from, to] = offsets;
    tensors.set(name, {
      shape,
      values: new Float32Array(new Uint8Array(file.subarray(start + from, start + to)).buffer),
    });
  }
  return { tensors, metadata: (__metadata__ ?? {}) as unknown as Record<string, string> };
}

/** @param image normalised, `[H, W, C]`. @returns a logit a class. */
export function residualLogits(state: StateDict, image: ArrayLike<number>, [h, w, c]: readonly number[]): number[] {
  const values = new Float64Array(image.length);
  for (let i = 0; i < image.length; i++) values[(i % c!) * h! * w! + Math.floor(i / c!)] = image[i]!;
  let x: Activation = { channels: c!, height: h!, width: w!, values };
  x = relu(batchNorm(state, 'bn1', conv(state, 'conv1', x, 1)));
  for (let stage = 1; state.has(`layer${stage}.0.conv1.weight`); stage++) {
    for (let block = 0; state.has(`layer${stage}.${block}.conv1.weight`); block++) {
      x = basicBlock(state, `layer${stage}.${block}`, x, stage > 1 && block === 0 ? 2 : 1);
    }
  }
  const { shape, values: weight } = get(state, 'linear.weight');
  const bias = get(state, 'linear.bias').values;
  const area = x.height * x.width;
  const means = Array.from({ length: x.channels }, (_, k) => sum(x.values.subarray(k * area, (k + 1) * area)) / area);
  return Array.from({ length: shape[0]! }, (_, o) =>
    means.reduce((at, m, k) => at + m * weight[o * means.length + k]!, bias[o]!),
  );
}

function basicBlock(state: StateDict, name: string, x: Activation, stride: number): Activation {
  const inner = relu(batchNorm(state, `${name}.bn1`, conv(state, `${name}.conv1`, x, stride)));
  const y = batchNorm(state, `${name}.bn2`, conv(state, `${name}.conv2`, inner, 1));
  const shortcut = state.has(`${name}.shortcut.0.weight`)
    ? batchNorm(state, `${name}.shortcut.1`, conv(state, `${name}.shortcut.0`, x, stride))
    : x;
  return relu({ ...y, values: y.values.map((value, i) => value + shortcut.values[i]!) });
}

/** `nn.Conv2d` without bias, padded by half the kernel. */
function conv(state: StateDict, name: string, x: Activation, stride: number): Activation {
  const { shape, values: kernel } = get(state, `${name}.weight`);
  const [channels, cIn, size] = shape as [number, number, number];
  const padding = (size - 1) / 2;
  const height = Math.floor((x.height + 2 * padding - size) / stride) + 1;
  const width = Math.floor((x.width + 2 * padding - size) / stride) + 1;
  const values = new Float64Array(channels * height * width);
  for (let o = 0; o < channels; o++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        let total = 0;
        for (let c = 0; c < cIn; c++) {
          for (let di = 0; di < size; di++) {
            for (let dj = 0; dj < size; dj++) {
              const [row, column] = [i * stride + di - padding, j * stride + dj - padding];
              if (row < 0 || row >= x.height || column < 0 || column >= x.width) continue;
              const weight = kernel[((o * cIn + c) * size + di) * size + dj]!;
              total += weight * x.values[(c * x.height + row) * x.width + column]!;
            }
          }
        }
        values[(o * height + i) * width + j] = total;
      }
    }
  }
  return { channels, height, width, values };
}

/** `nn.BatchNorm2d` in eval mode. */
function batchNorm(state: StateDict, name: string, x: Activation): Activation {
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
    (part) => get(state, `${name}.${part}`).values,
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const area = x.height * x.width;
  const values = x.values.map((value, i) => {
    const c = Math.floor(i / area);
    return ((value - mean[c]!) / Math.sqrt(variance[c]! + 1e-5)) * weight[c]! + bias[c]!;
  });
  return { ...x, values };
}

const relu = (x: Activation): Activation => ({ ...x, values: x.values.map((value) => Math.max(0, value)) });
const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

function get(state: StateDict, name: string): Tensor {
  const tensor = state.get(name);
  if (!tensor) throw new Error(`there is no ${name}`);
  return tensor;
}
