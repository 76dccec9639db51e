import { freemem } from 'node:os';

/**
 * Bytes that processes started now may use: what the machine has to spare, caches included, or what a control group
 * leaves where that is less.
 */
export function spareMemoryBytes(): number {
  // Node 20.13 and later: what the control group leaves (its limit less what it uses), where there is one.
  const available = process.availableMemory?.() ?? 0;
  return available > 0 ? Math.min(available, freemem()) : freemem();
}
