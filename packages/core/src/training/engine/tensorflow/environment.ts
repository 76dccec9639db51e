import type { Means } from '../../../protocol/index.js';

/** No card is called so: TensorFlow then computes on the processor. */
const NO_CARD = '-1';

/**
 * What TensorFlow and the libraries under it are told when they load (decision 0049).
 * @param given the environment so far: what a user set there of the log level and the memory stays.
 * @returns undefined for what must not be set.
 */
export function tensorflowEnvironment(
  { threads, device, precision }: Means & { readonly threads: number },
  given: NodeJS.ProcessEnv,
): Record<string, string | undefined> {
  return {
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: given.TF_CPP_MIN_LOG_LEVEL ?? '2',
    // TensorFlow leaves oneDNN to processors with AVX-512 VNNI; on others it doubles the speed, and without it there are
    // no grouped convolutions.
    TF_ENABLE_ONEDNN_OPTS: '1',
    // Keeps the compiled code of strided 1x1 convolutions, which it would else make anew in each step.
    TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE: given.TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE ?? 'false',
    ...(device === 'cpu'
      ? { CUDA_VISIBLE_DEVICES: NO_CARD }
      : {
          // Or the first process takes nearly all of the card, and a second one has nothing.
          TF_FORCE_GPU_ALLOW_GROWTH: given.TF_FORCE_GPU_ALLOW_GROWTH ?? 'true',
          // Kernels that add in a fixed order; cuDNN's algorithms are then chosen without timing them.
          TF_DETERMINISTIC_OPS: '1',
          // 0 keeps cuBLAS and cuDNN from rounding float32 operands to TF32, which TensorFlow lets them do by itself. 1
          // would round where it has a reason not to.
          NVIDIA_TF32_OVERRIDE: precision === 'tf32' ? undefined : '0',
        }),
  };
}
