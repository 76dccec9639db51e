import { formatDifference } from './format.js';
import { dim, green, type Line } from './line.js';

/** `generation 2/3`; 0 is the initial population. */
export function generationName({ t, of }: { readonly t: number; readonly of: number | undefined }): string {
  return `generation ${t}${of === undefined ? '' : `/${of}`}`;
}

/** ` +0.0021 on alpha`; nothing while one of the two is not known. */
export function gainOnAlpha(best: number | undefined, alpha: number | undefined): Line {
  if (best === undefined || alpha === undefined) return [];
  const text = ` ${formatDifference(best - alpha)}`;
  return [best > alpha ? green(text) : dim(text), ' on alpha'];
}
