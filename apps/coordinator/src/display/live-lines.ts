import { formatAccuracy, formatBar, formatCount, formatDuration, formatMask, formatRate, plural } from './format.js';
import { bold, cyan, dim, fitLine, fitText, type Line, lineWidth, padText, textWidth } from './line.js';
import { gainOnAlpha, roundName, wordsOf } from './phrases.js';
import { remainingTime } from './remaining-time.js';
import type { ActiveJob, AlphaView, OpenPhase, ViewState } from './view-state.js';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const MAX_NAME = 24;

/**
 * The live view: what is going on now, in lines that fit the screen.
 *
 * ```
 * quickstart-20260131-120000-3f9a  mnist  resnet8, 8 blocks  tensorflow  2 workers  redis://127.0.0.1:6379
 * alpha           ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  3/3 epochs   accuracy 0.9812
 * generation 2/3  ━━━━━━━━━━━━━━━━━━────────────  3/5   best 0.9833 +0.0021 on alpha   nabla 0.0120
 *   worker-1  11010110  ━━━━━━━━━━━───────────  1/2   loss 0.0512  accuracy 0.9790  812 images/s
 *   worker-2  waiting
 * elapsed 1m 05s, about 40s left
 * ```
 */
export function liveLines(state: ViewState, screen: ScreenSize, now: number): Line[] {
  if (state.finished || !(state.run || state.preparing)) return [];
  const head = [
    ...(state.run ? [headerLine(state)] : []),
    ...(state.alpha || state.phase?.phase.name === 'alpha' ? [alphaLine(state.alpha, screen.columns)] : []),
    ...(state.phase && state.phase.phase.name !== 'alpha' ? [phaseLine(state, state.phase, screen.columns)] : []),
    ...(state.preparing ? [preparingLine(state.preparing, screen.columns)] : []),
  ];
  const foot = timeLine(state, now);
  // The line under the view holds the cursor: a view as tall as the screen would scroll out of reach.
  const room = screen.rows - 1 - head.length - 1;
  return [...head, ...workerLines(state, screen.columns, room), foot]
    .map((line) => fitLine(line, screen.columns))
    .slice(-Math.max(1, screen.rows - 1));
}

function headerLine({ run }: ViewState): Line {
  if (!run) return [];
  const facts = [
    run.dataset,
    `${run.model}, ${plural(run.blocks, 'block')}`,
    run.engine,
    plural(run.workers, 'worker'),
    run.broker,
  ];
  return [bold(run.runId), dim(`  ${facts.join('  ')}`)];
}

function alphaLine(alpha: AlphaView | undefined, columns: number): Line {
  const title = 'alpha';
  if (!alpha) return barLine(title, 0, ['starting'], columns);
  const accuracy = alpha.accuracy === undefined ? [] : ['   accuracy ', bold(formatAccuracy(alpha.accuracy))];
  if (alpha.reused) return barLine(title, 1, [dim('known already'), ...accuracy], columns);
  const finished = alpha.accuracy !== undefined;
  const epochs =
    alpha.epochs > 0 ? [`${alpha.epoch}/${plural(alpha.epochs, 'epoch')}`] : [finished ? 'measured' : 'starting'];
  return barLine(title, finished ? 1 : alpha.epoch / alpha.epochs, [...epochs, ...accuracy], columns);
}

function phaseLine(
  { run, best, alpha, nabla }: ViewState,
  { phase, total, done, answered }: OpenPhase,
  columns: number,
): Line {
  const all = total + answered;
  const count = `${formatCount(done + answered)}/${formatCount(all)}`;
  const fraction = all === 0 ? 1 : (done + answered) / all;
  if (phase.name !== 'generation') return barLine('test set', fraction, [count], columns);
  return barLine(
    roundName(wordsOf(run), phase.t, phase.of),
    fraction,
    [
      count,
      ...(best ? ['   best ', bold(formatAccuracy(best.accuracy))] : []),
      ...gainOnAlpha(best?.accuracy, alpha?.accuracy),
      ...(nabla === undefined ? [] : [`   nabla ${formatAccuracy(nabla)}`]),
    ],
    columns,
  );
}

function preparingLine({ what, fraction }: NonNullable<ViewState['preparing']>, columns: number): Line {
  if (fraction === undefined) return [`${what} …`];
  return barLine(what, fraction, [`${Math.floor(100 * fraction)}%`], columns);
}

function timeLine(state: ViewState, now: number): Line {
  const left = remainingTime(state, now);
  return [
    dim(`elapsed ${formatDuration(now - state.startedAt)}`),
    ...(left === undefined ? [] : [dim(`, about ${formatDuration(Math.max(1_000, left))} left`)]),
  ];
}

/** `title  ━━━━───  tail`; the bar takes what the screen has left, up to 40 cells, and goes where that is too little. */
function barLine(title: string, fraction: number, tail: Line, columns: number): Line {
  const start = padText(title, 'generation 99/99'.length);
  return [start, ...bar(fraction, columns - textWidth(start) - lineWidth(tail) - 4), '  ', ...tail];
}

function bar(fraction: number, room: number): Line {
  if (room < 8) return [];
  const { filled, empty } = formatBar(fraction, Math.min(40, room));
  return ['  ', cyan(filled), dim(empty)];
}

/** One line a worker, in the order of their names; what does not fit the screen is counted. */
function workerLines(state: ViewState, columns: number, room: number): Line[] {
  const workers = [...state.workers].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const nameWidth = Math.min(MAX_NAME, Math.max(0, ...workers.map(([name]) => textWidth(name))));
  const jobWidth = Math.max(0, ...workers.map(([, active]) => (active ? textWidth(formatMask(active.job.text)) : 0)));
  const lines = workers.map(([name, active]): Line => {
    const start = `  ${padText(fitText(name, nameWidth), nameWidth)}  `;
    return active ? activeLine(start, active, jobWidth, columns) : [start, dim('waiting')];
  });
  if (lines.length <= room) return lines;
  const shown = Math.max(0, room - 1);
  const hidden = workers.slice(shown);
  const busy = hidden.filter(([, active]) => active).length;
  return [...lines.slice(0, shown), [dim(`  and ${plural(hidden.length, 'worker')} more, ${busy} at work`)]].slice(
    0,
    Math.max(0, room),
  );
}

function activeLine(start: string, { job, report }: ActiveJob, jobWidth: number, columns: number): Line {
  const title = `${start}${padText(formatMask(job.text), jobWidth)}`;
  if (!report) return [title, dim('  starting')];
  const { epoch, epochs, trainLoss, accuracy, imagesPerSecond } = report.progress;
  const tail: Line = [
    `${epoch}/${epochs}   loss ${trainLoss.toFixed(4)}`,
    accuracy === null ? '' : `  accuracy ${formatAccuracy(accuracy)}`,
    dim(`  ${formatRate(imagesPerSecond)} images/s`),
  ];
  return [title, ...bar(epoch / epochs, columns - textWidth(title) - lineWidth(tail) - 4), '  ', ...tail];
}
