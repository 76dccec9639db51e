import { dirname, resolve } from 'node:path';
import type { RunDescription, RunSummary } from '../run-events.js';
import { formatAccuracy, formatCount, formatDifference, formatDuration, keptBlocks, plural } from './format.js';
import { bold, dim, green, type Line } from './line.js';

/**
 * The block that ends a run: what came out, what it cost, where it is, what to do next.
 * @param run undefined for a run that was finished before.
 */
export function resultLines(summary: RunSummary, run: RunDescription | undefined): Line[] {
  const { alpha, best, runId } = summary;
  const kept = keptBlocks(best.mask);
  const reset = best.mask.length - kept;
  const later = summary.evaluations - summary.cacheHits;
  return [
    [],
    [bold(runId), run ? ` finished in ${formatDuration(1000 * summary.seconds)}` : ' was finished already'],
    [dim(`${summary.dataset}, ${summary.model}, engine ${summary.engine}`)],
    [],
    ['accuracy  validation      test'],
    accuracyRow('alpha', alpha),
    [...accuracyRow('best', best), ...gain(best.testAccuracy - alpha.testAccuracy)],
    ...(best.validationAccuracy === null
      ? [[dim('Fitness was test accuracy, as in the paper: the search has seen the test set.')]]
      : []),
    [],
    ['best mask  ', bold(best.mask), dim(`  ${plural(kept, 'block')} kept, ${reset} re-initialised`)],
    [
      `${plural(summary.generations, 'generation')}, ${plural(summary.evaluations, 'individual')}: ${formatCount(later)} retrained, `,
      `${formatCount(summary.cacheHits)} known already; ${plural(summary.epochsTrained, 'epoch')} trained`,
    ],
    ...(run ? [['folder     ', run.folder]] : []),
    ['next       ', bold(`nesgd status ${runId}${runsFlag(run)}`), dim('  every generation of this run')],
  ];
}

function accuracyRow(name: string, of: { validationAccuracy: number | null; testAccuracy: number }): Line {
  const cells = [formatAccuracy(of.validationAccuracy), formatAccuracy(of.testAccuracy)].map((cell) =>
    cell.padStart(10),
  );
  return [name.padEnd(10), cells[0] ?? '', bold(cells[1] ?? '')];
}

function gain(difference: number): Line {
  const text = `  ${formatDifference(difference)} on the test set`;
  return [difference > 0 ? green(text) : dim(text)];
}

/** A run outside ./runs is found by its folder's name. */
export function runsFlag(run: RunDescription | undefined): string {
  if (!run || dirname(resolve(run.folder)) === resolve('runs')) return '';
  const folder = dirname(run.folder);
  return ` --runs ${/^[\w@%+=:,./-]+$/.test(folder) ? folder : JSON.stringify(folder)}`;
}
