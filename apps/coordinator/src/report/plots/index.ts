import type { RunDigest } from '../run-digest.js';
import { clusterFigure } from './clusters.js';
import { convergenceFigure } from './convergence.js';
import type { Figure } from './draw.js';
import { keptShareFigure, maskFigure } from './masks.js';
import { populationFigure } from './population.js';

/** The figures that a run has facts for, in the order of a report. */
export function figuresOf(run: RunDigest): Figure[] {
  const makers = [convergenceFigure, populationFigure, maskFigure, keptShareFigure, clusterFigure];
  return makers.flatMap((make) => make(run) ?? []);
}
