/** Accuracies as the terminal shows them: four decimals. */
export function formatAccuracy(accuracy: number | null | undefined): string {
  return accuracy === null || accuracy === undefined ? '–' : accuracy.toFixed(4);
}

export function formatDifference(difference: number): string {
  return `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(4)}`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** `2026-01-31 12:00:07 UTC` */
export function formatTime(iso: string): string {
  return iso === '' ? '–' : `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2 h 05 min`, `3 min 20 s`, `7 s` */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
