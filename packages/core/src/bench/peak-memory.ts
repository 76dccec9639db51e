import { readFileSync } from 'node:fs';

/** The most memory of this process that was resident at once, in MiB: Linux' VmHWM, elsewhere what getrusage says. */
export function peakMemoryMb(): number {
  try {
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kilobytes !== undefined) return Number(kilobytes) / 1024;
  } catch {
    // No /proc here.
  }
  return process.resourceUsage().maxRSS / 1024;
}
