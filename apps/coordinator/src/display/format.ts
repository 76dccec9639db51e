/** Numbers, masks and bars as people read them. */

/** `0.9812` */
export function formatAccuracy(accuracy: number | null | undefined): string {
  return typeof accuracy === 'number' ? accuracy.toFixed(4) : '-';
}

/** `+0.0021`, `-0.0100`, `+0.0000`. */
export function formatDifference(difference: number): string {
  const text = difference.toFixed(4);
  return text.startsWith('-') && Number(text) !== 0 ? text : `+${text.replace('-', '')}`;
}

/** `7s`, `2m 05s`, `3h 07m`, `2d 04h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const units = [
    [86_400, 'd', 3600, 'h'],
    [3600, 'h', 60, 'm'],
    [60, 'm', 1, 's'],
  ] as const;
  for (const [large, largeName, small, smallName] of units) {
    if (seconds < large) continue;
    const rest = Math.floor((seconds % large) / small);
    return `${Math.floor(seconds / large)}${largeName} ${String(rest).padStart(2, '0')}${smallName}`;
  }
  return `${seconds}s`;
}

/** A clock for logs, `0:07`, `12:05`, `1:02:05`. */
export function formatClock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const pair = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${pair(m)}:${pair(s)}` : `${m}:${pair(s)}`;
}

/** 12345.6 -> `12,346`; below 10 one decimal stays. */
export function formatRate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond));
}

/** 10000 -> `10,000`, whatever the machine's language. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `plural(1, 'worker')` -> `1 worker`, `plural(2, 'worker')` -> `2 workers`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

const LONG_MASK = 32;

/**
 * A mask, or the text that stands for a job. Masks of more than 32 bits show both ends and the number of kept blocks,
 * `111101011011…110111101111 (41/66 kept)`; the journal has them whole.
 */
export function formatMask(text: string): string {
  if (!/^[01]+$/.test(text) || text.length <= LONG_MASK) return text;
  return `${text.slice(0, 12)}…${text.slice(-12)} (${keptBlocks(text)}/${text.length} kept)`;
}

export function keptBlocks(mask: string): number {
  return mask.replaceAll('0', '').length;
}

/** `━━━━━━────`: `fraction` in [0, 1] of `columns` filled. Full only when all is done. */
export function formatBar(fraction: number, columns: number): { readonly filled: string; readonly empty: string } {
  const within = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
  const cells = Math.floor(within * columns);
  return { filled: '━'.repeat(cells), empty: '─'.repeat(columns - cells) };
}
