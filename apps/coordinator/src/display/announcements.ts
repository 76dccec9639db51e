import { evolvesMasks, searchesMasks } from '@nesgd/core/methods';
import type { RunDescription, RunEvent } from '../run-events.js';
import { formatAccuracy, formatClock, formatCount, formatMask, formatRate, plural } from './format.js';
import { bold, cyan, dim, type Line, yellow } from './line.js';
import { gainOnAlpha, roundName, wordsOf } from './phrases.js';
import { resultLines } from './result-lines.js';
import type { ViewState } from './view-state.js';

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/**
 * The lines that an event leaves behind for good, in the plain log and above the live view.
 * @param before the state without the event.
 * @param after the state with it.
 * @param detail also what a live view shows while it happens: epochs, single individuals, the start of phases.
 * @param now milliseconds, of the clock that the states have.
 */
export function announce(event: RunEvent, before: ViewState, after: ViewState, detail: boolean, now: number): Line[] {
  const lines = describe(event, before, after, detail);
  const clock = dim(`${formatClock(now - after.startedAt)}  `.padStart(8));
  const stamped = lines.map((line, index): Line => [index === 0 ? clock : ' '.repeat(8), ...line]);
  // The result is a block of its own, with its total time in it.
  return event.type === 'finished' ? resultLines(event, after.run !== undefined) : stamped;
}

function describe(event: RunEvent, before: ViewState, after: ViewState, detail: boolean): Line[] {
  switch (event.type) {
    case 'preparing':
      return detail && event.what !== before.preparing?.what ? [[event.what]] : [];
    case 'notice':
      return paragraphs(yellow('note: '), event.text);
    case 'job-retried':
      return paragraphs(yellow('retry: '), `${formatMask(event.job.text)}: ${event.reason}`);
    case 'opened':
      return detail ? openingLines(event.run) : [];
    case 'phase':
      return detail ? [phaseLine(event, after.run)] : [];
    case 'job-started':
      return [];
    case 'job-progress':
      return detail ? epochLines(event, before) : [];
    case 'job-done':
      return jobDoneLines(event, after, detail);
    case 'alpha-reused':
      return [['alpha: ', bold(formatAccuracy(event.accuracy)), dim('  known already')]];
    case 'generation-closed':
      return [roundLine(event, after)];
    case 'finished':
      return [];
  }
}

function openingLines(run: RunDescription): Line[] {
  const { runId, folder, experiment, dataset, trainImages, validationImages, testImages } = run;
  const images = `${formatCount(trainImages)} training, ${formatCount(validationImages)} validation, ${formatCount(testImages)} test images`;
  return [
    [`${run.resumed ? 'resuming' : 'starting'} run `, bold(runId), ` of experiment ${experiment} in ${folder}`],
    [`data ${dataset}: ${images}`],
    [
      `model ${run.model}: ${plural(run.blocks, 'block')}; engine ${run.engine}${run.device ? ' on cards' : ''}, ${plural(run.threads, 'thread')} a worker`,
    ],
    [`${plural(run.workers, 'worker')}, broker ${run.broker}`],
    [extent(run)],
  ];
}

function extent(run: RunDescription): string {
  const { round, individual } = wordsOf(run);
  const rounds = plural(run.generations, round);
  return evolvesMasks(run.method)
    ? `population ${run.populationSize}, ${rounds}`
    : `${rounds} of ${plural(run.populationSize, individual)}`;
}

function phaseLine({ phase, total, answered }: EventOf<'phase'>, run: RunDescription | undefined): Line {
  if (phase.name === 'alpha') return [total > 0 ? 'alpha: training the checkpoint' : 'alpha: nothing to train'];
  if (phase.name === 'test') return [`test set: ${plural(total, 'measurement')}`];
  const known = answered > 0 ? `, ${formatCount(answered)} known already` : '';
  const words = wordsOf(run);
  const masks = words.individual === 'individual';
  return [
    `${roundName(words, phase.t, phase.of)}: ${plural(total, words.individual)}${masks ? ' to retrain' : ''}${known}`,
  ];
}

/** One line for each epoch of alpha, though an epoch may report more than once. */
function epochLines({ progress }: EventOf<'job-progress'>, before: ViewState): Line[] {
  if (before.phase?.phase.name !== 'alpha' || progress.epoch <= (before.alpha?.epoch ?? 0)) return [];
  const accuracy = progress.accuracy === null ? '' : `, accuracy ${formatAccuracy(progress.accuracy)}`;
  const rate = `${formatRate(progress.imagesPerSecond)} images/s`;
  return [
    [`alpha: epoch ${progress.epoch}/${progress.epochs}, loss ${progress.trainLoss.toFixed(4)}${accuracy}, ${rate}`],
  ];
}

function jobDoneLines(event: EventOf<'job-done'>, after: ViewState, detail: boolean): Line[] {
  const where = dim(`  ${event.seconds.toFixed(1)} s on ${event.worker}`);
  switch (after.phase?.phase.name) {
    case 'alpha':
      return [['alpha: ', bold(formatAccuracy(event.accuracy)), where]];
    case 'generation': {
      const { done, total } = after.phase;
      return detail
        ? [[`  ${formatMask(event.job.text)}  `, formatAccuracy(event.accuracy), where, dim(`  ${done}/${total}`)]]
        : [];
    }
    default:
      return detail ? [[`${event.job.text}: `, formatAccuracy(event.accuracy), where]] : [];
  }
}

function roundLine(event: EventOf<'generation-closed'>, { alpha, run }: ViewState): Line {
  const method = run?.method ?? 'ne-sgd';
  return [
    cyan(roundName(wordsOf(run), event.t, run?.generations)),
    ': best ',
    bold(formatAccuracy(event.bestAccuracy)),
    ...gainOnAlpha(event.bestAccuracy, alpha?.accuracy),
    searchesMasks(method) ? `, mask ${formatMask(event.bestMask)}` : '',
    `, nabla ${formatAccuracy(event.nabla)}`,
    evolvesMasks(method) ? `, ${formatCount(event.suppressed)} suppressed` : '',
  ];
}

/** A text of several lines stays so, under its heading. */
function paragraphs(heading: Line[number], text: string): Line[] {
  return text.split('\n').map((part, index) => (index === 0 ? [heading, part] : [`  ${part}`]));
}
