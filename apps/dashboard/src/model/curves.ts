import type { LiveStatus } from '@nesgd/core/view';
import { epochsBefore, runWords } from './method-words.js';
import type { Individual, RunModel } from './run-model.js';

/** Accuracy after each epoch that was measured; epochs count from alpha's first, as in the paper's Fig. 3. */
export interface Curve {
  readonly kind: 'alpha' | 'individual' | 'live';
  /** The individual's. */
  readonly number?: number;
  /** For people: `alpha`, a mask. */
  readonly name: string;
  readonly epochs: Float32Array;
  readonly accuracies: Float32Array;
}

type Records = readonly { readonly epoch: number; readonly accuracy: number | null }[];

/**
 * Alpha's curve, then everyone's, each from where alpha ended, or from what its weights had behind them, then those that
 * are being trained just now.
 */
export function curvesOf(model: RunModel, live: LiveStatus | null): Curve[] {
  const { alpha, opened } = model;
  const start = alpha?.curve.length ?? 0;
  const from = alpha ? { epoch: start, accuracy: alpha.accuracy } : undefined;
  const before = (round: number | undefined) =>
    round !== undefined && opened ? epochsBefore(round, opened.experiment) : 0;
  const curves: Curve[] = [];
  if (alpha) curves.push(curve('alpha', 'alpha', alpha.curve, 0));
  for (const individual of model.individuals) {
    const { number, name, curve: records, round } = individual;
    if (records.length === 0) continue;
    const earlier = from ?? predecessor(model, individual, before(round));
    curves.push({ ...curve('individual', name, records, start + before(round), earlier), number });
  }
  for (const job of live?.active ?? []) {
    if (job.curve.length === 0) continue;
    const isAlpha = !alpha && opened !== undefined && runWords(opened.experiment).usesAlpha;
    const offset = isAlpha ? 0 : start + before(roundOf(job.id));
    curves.push(curve('live', job.text, job.curve, offset, isAlpha ? undefined : from));
  }
  return curves.filter(({ epochs }) => epochs.length > 0);
}

/** Population based training trains its members on, unless they give up for another: `pbt-3-2` goes on from `pbt-2-2`. */
function predecessor({ individuals }: RunModel, { name, number }: Individual, epoch: number) {
  const [, step, place] = /^pbt-(\d+)-(\d+)$/.exec(name) ?? [];
  if (step === undefined) return undefined;
  const wanted = `pbt-${Number(step) - 1}-${place}`;
  for (let i = number - 1; i >= 0; i -= 1) {
    const individual = individuals[i];
    if (individual?.name === wanted) return { epoch, accuracy: individual.accuracy };
    if ((individual?.round ?? 0) < Number(step) - 1) return undefined;
  }
  return undefined;
}

/** Of a training under way: `pbt-3-2` is of the third step; `sgd-4-1` of ESGD's fourth generation, each of which has two rounds. */
function roundOf(id: string): number | undefined {
  const [, name, t] = /^(pbt|sgd)-(\d+)-\d+$/.exec(id) ?? [];
  if (t === undefined) return undefined;
  return name === 'pbt' ? Number(t) : 2 * Number(t) - 1;
}

function curve(
  kind: Curve['kind'],
  name: string,
  records: Records,
  offset: number,
  from?: { readonly epoch: number; readonly accuracy: number },
): Curve {
  const measured = records.filter(({ accuracy }) => accuracy !== null);
  const lead = from ? 1 : 0;
  const epochs = new Float32Array(lead + measured.length);
  const accuracies = new Float32Array(lead + measured.length);
  if (from) {
    epochs[0] = from.epoch;
    accuracies[0] = from.accuracy;
  }
  measured.forEach(({ epoch, accuracy }, i) => {
    epochs[lead + i] = offset + epoch;
    accuracies[lead + i] = accuracy ?? 0;
  });
  return { kind, name, epochs, accuracies };
}

/** [least, greatest] over all of them; [0, 1] where there is nothing. */
export function accuracyRange(curves: readonly Curve[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { accuracies } of curves) {
    for (const accuracy of accuracies) {
      if (accuracy < low) low = accuracy;
      if (accuracy > high) high = accuracy;
    }
  }
  if (low > high) return [0, 1];
  return low < high ? [low, high] : [low - 0.01, high + 0.01]; // An axis needs some extent.
}

/**
 * The curve that passes nearest to a point, within `reach`.
 * @param toX epochs to pixels. @param toY accuracies to pixels.
 */
export function nearestCurve(
  curves: readonly Curve[],
  point: { readonly x: number; readonly y: number },
  toX: (epoch: number) => number,
  toY: (accuracy: number) => number,
  reach: number,
): Curve | undefined {
  let nearest: Curve | undefined;
  let least = reach * reach;
  for (const candidate of curves) {
    const { epochs, accuracies } = candidate;
    for (let i = 0; i < epochs.length; i++) {
      const x1 = toX(epochs[i] as number);
      const y1 = toY(accuracies[i] as number);
      const next = Math.min(i + 1, epochs.length - 1);
      const distance = squaredDistance(point, x1, y1, toX(epochs[next] as number), toY(accuracies[next] as number));
      if (distance < least) {
        least = distance;
        nearest = candidate;
      }
    }
  }
  return nearest;
}

/** From a point to the segment (x1, y1)-(x2, y2). */
function squaredDistance(p: { x: number; y: number }, x1: number, y1: number, x2: number, y2: number): number {
  const dx = x2 - x1;
  const dy = y2 - y1;
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((p.x - x1) * dx + (p.y - y1) * dy) / length));
  return (p.x - x1 - t * dx) ** 2 + (p.y - y1 - t * dy) ** 2;
}
