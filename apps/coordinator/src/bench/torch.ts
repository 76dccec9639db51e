import { fileURLToPath } from 'node:url';
import { StepProcess } from '@nesgd/core/bench';
import type { ModelName } from './plan.js';

const SCRIPT = fileURLToPath(new URL('../../../../bench/peers/pytorch_training.py', import.meta.url));
/** Compiling a ResNet-20 takes three minutes on two busy cores, and the largest networks have ten times its operations. */
const COMPILE_LIMIT_MS = 45 * 60_000;

export interface TorchSettings {
  readonly python: string;
  readonly model: ModelName;
  readonly threads: number;
  readonly batch: number;
  readonly device: 'cpu' | 'cuda';
  /** Eager, or by torch.compile, which wants a C++ compiler. */
  readonly mode: 'eager' | 'compile';
}

/** PyTorch's process, as one would write it (decision 0053). @throws StepProcessError. */
export function startTorch({ python, ...settings }: TorchSettings): Promise<StepProcess> {
  return StepProcess.start(
    python,
    [SCRIPT],
    settings,
    settings.mode === 'compile' ? { limitMs: COMPILE_LIMIT_MS } : {},
  );
}
