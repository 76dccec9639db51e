import { readFileSync } from 'node:fs';

/** Flags of /proc/cpuinfo: Intel's and AMD's vector instructions, Intel's matrix ones, Arm's. */
const BFLOAT16_FLAGS = /^(flags|Features)\s*:.*\b(avx512_bf16|amx_bf16|bf16)\b/m;

/** Whether this processor multiplies bfloat16 itself; where it must emulate it, float32 is faster. */
export function processorHasBfloat16(cpuinfo = '/proc/cpuinfo'): boolean {
  try {
    return BFLOAT16_FLAGS.test(readFileSync(cpuinfo, 'utf8'));
  } catch {
    return false; // Not Linux.
  }
}
