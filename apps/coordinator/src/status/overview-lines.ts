import { METHOD_WORDS, searchesMasks, usesAlpha } from '@nesgd/core/methods';
import { runCommand } from '@nesgd/core/run';
import type { RunState } from '@nesgd/core/view';
import {
  formatAccuracy,
  formatCount,
  formatDifference,
  formatDuration,
  keptBlocks,
  plural,
} from '../display/format.js';
import { bold, cyan, dim, green, type Line, red, yellow } from '../display/line.js';
import { tableLines } from '../display/table-lines.js';
import { typed } from '../invocation.js';
import { generationsOf } from '../workload.js';
import type { AlphaOverview, RunOverview } from './run-overview.js';

/** One run in detail: where it stands, its settings, what was measured, which blocks the best mask keeps. */
export function overviewLines(run: RunOverview): Line[] {
  return [
    [bold(run.runId), '  ', stateWord(run.state, run.paused), ...holderText(run)],
    ...(run.divergence === null ? [] : [[red(run.divergence)]]),
    ['folder      ', run.folder],
    ['started     ', formatTime(run.startedAt), dim('   last fact '), formatTime(run.lastFactAt)],
    ...(run.priority === 0 ? [] : [['priority    ', String(run.priority)]]),
    ['engine      ', `${run.runtime.engine}, ${plural(run.runtime.threads, 'thread')} a worker`],
    [],
    ...settingsLines(run.experiment),
    [],
    ...accuracyLines(run),
    ...(run.generations.length > 0 ? [[], ...generationLines(run)] : []),
    ...(run.best ? [[], ...maskLines(run.best.mask, run.blocks)] : []),
    [],
    [progressOf(run)],
    ...run.workers.map(
      ({ name, jobs, seconds }): Line => [dim(`  ${name}: ${plural(jobs, 'job')}, ${formatDuration(1000 * seconds)}`)],
    ),
    ...nextLines(run),
  ];
}

function progressOf({ experiment, ...run }: RunOverview): string {
  const { name } = experiment.method;
  const { round, individual } = METHOD_WORDS[name];
  const generations = generationsOf(experiment);
  const of = generations === null ? '' : ` of ${generations}`;
  const done = `${plural(run.evaluated, individual)} ${searchesMasks(name) ? 'retrained' : 'measured'}`;
  const images = `${plural(run.imagesTrained, 'image')} trained on${usesAlpha(name) ? ", alpha's included" : ''}`;
  return `${round} ${run.generations.at(-1)?.t ?? '-'}${of} closed; ${done}, ${images}`;
}

function stateWord(state: RunState, paused: boolean): Line[number] {
  if (paused) return yellow('paused');
  return { finished: green, running: cyan, stopped: yellow, diverged: red }[state](state);
}

/** `2026-01-31 12:00:07 UTC` */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

function holderText({ holder, state }: RunOverview): Line {
  return holder && state === 'running' ? [dim(` by process ${holder.pid} on ${holder.host}`)] : [];
}

const SETTINGS_WIDTH = 88;

/** The experiment as resolved, by its own keys, which --set knows too; of the methods, the one that was chosen. */
function settingsLines({ method, ...experiment }: RunOverview['experiment']): Line[] {
  const key = method.name === 'sgd-restarts' ? 'sgdRestarts' : method.name;
  const chosen = Object.fromEntries(Object.entries(method).filter(([name]) => name === 'name' || name === key));
  return Object.entries({ ...experiment, method: chosen }).flatMap(([section, value]) =>
    wrapped(settings(value)).map((text, index): Line => [(index === 0 ? section : '').padEnd(12), dim(text)]),
  );
}

/** `{ epochs: 3, milestones: [0.5] }` -> `['epochs 3', 'milestones [0.5]']` */
function settings(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  return Object.entries(value).map(([key, inner]) => `${key} ${JSON.stringify(inner).replaceAll('"', '')}`);
}

function wrapped(parts: readonly string[]): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length + 2 <= SETTINGS_WIDTH)
      lines[lines.length - 1] = `${last}, ${part}`;
    else lines.push(part);
  }
  return lines;
}

function accuracyLines({ alpha, best, experiment }: RunOverview): Line[] {
  if (!alpha && usesAlpha(experiment.method.name)) return [[dim('alpha is not trained yet')]];
  const difference =
    alpha && best && best.testAccuracy !== null && alpha.testAccuracy !== null
      ? best.testAccuracy - alpha.testAccuracy
      : undefined;
  const gain =
    difference === undefined
      ? []
      : [(difference > 0 ? green : dim)(`  ${formatDifference(difference)} on the test set`)];
  return [
    [`accuracy  ${experiment.fitness === 'validation' ? 'validation' : '   fitness'}      test`],
    ...(alpha ? [[accuracyRow('alpha', alpha), dim(`  ${sourceOf(alpha)}`)]] : []),
    best
      ? [accuracyRow('best', best), ...gain]
      : [dim(`no ${METHOD_WORDS[experiment.method.name].individual} is measured yet`)],
  ];
}

function sourceOf({ reused, epochs }: AlphaOverview): string {
  if (reused) return 'known from an earlier run';
  return epochs > 0 ? plural(epochs, 'epoch') : 'from a file';
}

function accuracyRow(name: string, of: { accuracy: number; testAccuracy: number | null }): string {
  const cells = [of.accuracy, of.testAccuracy].map((cell) => formatAccuracy(cell).padStart(10));
  return name.padEnd(10) + cells.join('');
}

function generationLines({ generations, experiment }: RunOverview): Line[] {
  const heading = [
    METHOD_WORDS[experiment.method.name].round,
    'best',
    'median',
    'nabla',
    'suppressed',
    'retrained',
    'known already',
  ];
  const rows = generations.map((row) => [
    String(row.t),
    formatAccuracy(row.best),
    formatAccuracy(row.median),
    formatAccuracy(row.nabla),
    formatCount(row.suppressed),
    formatCount(row.evaluated),
    formatCount(row.cacheHits),
  ]);
  return tableLines(heading, rows, 'right');
}

/** The mask drawn against the names of its blocks. */
function maskLines(mask: string, blocks: RunOverview['blocks']): Line[] {
  const nameWidth = Math.max(...blocks.map(({ name }) => name.length));
  const countWidth = Math.max(...blocks.map(({ parameters }) => formatCount(parameters).length));
  const kept = keptBlocks(mask);
  return [
    ['best mask ', bold(mask), dim(`  ${plural(kept, 'block')} kept, ${mask.length - kept} re-initialised`)],
    ...blocks.map(({ name, parameters }, index): Line => {
      const count = dim(`${formatCount(parameters).padStart(countWidth)} parameters`);
      const [bit, fate] = mask[index] === '1' ? [green('1'), 'kept          '] : [yellow('0'), 're-initialised'];
      return ['  ', bit, `  ${name.padEnd(nameWidth)}  ${fate}  `, count];
    }),
  ];
}

function nextLines({ state, paused, runId, folder }: RunOverview): Line[] {
  return state === 'stopped' || paused
    ? [
        [],
        [
          'next      ',
          bold(typed(runCommand('resume', { id: runId, path: folder }))),
          dim('  goes on from the last fact'),
        ],
      ]
    : [];
}
