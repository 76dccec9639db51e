import { METHOD_WORDS, searchesMasks } from '@nesgd/core/methods';
import { runCommand } from '@nesgd/core/run';
import { EXPECTED_NAMES } from '../expectation.js';
import { typed } from '../invocation.js';
import type { RunEvent, RunSummary } from '../run-events.js';
import { formatAccuracy, formatCount, formatDifference, formatDuration, keptBlocks, plural } from './format.js';
import { bold, dim, green, type Line, yellow } from './line.js';

/**
 * The block that ends a run: what came out, what it cost, where it is, what to do next.
 * @param justNow false for a run that was finished before.
 */
export function resultLines({ summary, folder }: Extract<RunEvent, { type: 'finished' }>, justNow: boolean): Line[] {
  const { alpha, best, runId } = summary;
  const kept = keptBlocks(best.mask);
  const reset = best.mask.length - kept;
  const masks = searchesMasks(summary.method);
  return [
    [],
    [bold(runId), justNow ? ` finished in ${formatDuration(1000 * summary.seconds)}` : ' was finished already'],
    [dim(`${summary.dataset}, ${summary.model}, engine ${summary.engine}`)],
    [],
    ['accuracy  validation      test'],
    ...(alpha ? [accuracyRow('alpha', alpha)] : []),
    [...accuracyRow('best', best), ...(alpha ? gain(best.testAccuracy - alpha.testAccuracy) : [])],
    ...(best.validationAccuracy === null
      ? [[dim('Fitness was test accuracy, as in the paper: the search has seen the test set.')]]
      : []),
    ...verdictLines(summary),
    ...expectationLines(summary),
    [],
    ...(masks
      ? [['best mask  ', bold(best.mask), dim(`  ${plural(kept, 'block')} kept, ${reset} re-initialised`)]]
      : [['method     ', bold(summary.method)]]),
    [`${countsOf(summary)}; ${plural(summary.epochsTrained, 'epoch')} trained`],
    ['folder     ', folder],
    [
      'next       ',
      bold(typed(runCommand('status', { id: runId, path: folder }))),
      dim(`  every ${METHOD_WORDS[summary.method].round} of this run`),
    ],
  ];
}

/** Of what the method measured, in its own words. */
function countsOf({ method, generations, evaluations, cacheHits }: RunSummary): string {
  const { round, individual } = METHOD_WORDS[method];
  const measured = `${plural(generations, round)}, ${plural(evaluations, individual)}`;
  if (!searchesMasks(method)) return `${measured} measured`;
  return `${measured}: ${formatCount(evaluations - cacheHits)} retrained, ${formatCount(cacheHits)} known already`;
}

/** What the figures alone do not say: that the search found nothing, or nothing of its own. */
function verdictLines({ verdict, best }: RunSummary): Line[] {
  const split = best.validationAccuracy === null ? 'test' : 'validation';
  switch (verdict) {
    case 'not better':
      return [[yellow(`No individual beat alpha on the ${split} images: the search found no better network.`)]];
    case 'alpha trained longer':
      return [[yellow('The best individual keeps every block: it is alpha trained longer, not a find of the search.')]];
    case 'better':
    case null:
      return [];
  }
}

/** What was published, beside what was measured: for whom it is to be judged by settings that may be others. */
function expectationLines({ expectation }: RunSummary): Line[] {
  if (!expectation) return [];
  const names = expectation.figures.map(({ name }) => EXPECTED_NAMES[name]);
  const width = Math.max(...names.map((name) => name.length));
  return [
    [],
    [' '.repeat(width), '   published   measured', dim(`  (${expectation.source})`)],
    ...expectation.figures.map(
      ({ published, measured }, i): Line => [
        (names[i] ?? '').padEnd(width),
        formatAccuracy(published).padStart(12),
        bold(formatAccuracy(measured).padStart(11)),
      ],
    ),
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
