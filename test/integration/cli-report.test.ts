import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JournalLine, readJournal } from '@nesgd/core/run';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportSummary } from '../../apps/coordinator/src/commands/report.js';
import { exampleJournal } from '../../apps/coordinator/src/report/example-journal.fixture.js';
import { Workplace } from '../support/cli.js';
import { listing } from '../support/listing.js';

/** `nesgd report` as a process of its own. */
let workplace: Workplace;
const inRun = (runId: string, name: string) => join(workplace.runs, runId, name);
const here = (...names: string[]) => join(workplace.folder, ...names);
const percent = (accuracy: number) => (100 * accuracy).toFixed(2);

const PUBLISHED = { source: 'Table II', testAccuracy: 0.9482 };

beforeAll(async () => {
  workplace = await Workplace.create();
  await writeJournal('done', await exampleJournal({ runId: 'done', expectation: PUBLISHED }));
  const isFirst = (fact: JournalLine['fact']) => fact.type === 'generation' && fact.t === 1;
  await writeJournal('open', await exampleJournal({ runId: 'open', until: isFirst }));
});
afterAll(() => workplace.destroy());

async function writeJournal(runId: string, lines: readonly JournalLine[]): Promise<void> {
  await mkdir(inRun(runId, ''), { recursive: true });
  await writeFile(inRun(runId, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

async function facts(): Promise<JournalLine['fact'][]> {
  return (await readJournal(inRun('done', 'journal.jsonl'))).lines.map((line) => line.fact);
}

describe('nesgd report', () => {
  it('--json has the journal’s numbers, and says where the page is', async () => {
    const { files, overview, runs } = await workplace.start(['report', 'done', '--json']).summary<ReportSummary>();
    expect(files).toEqual([inRun('done', 'report.html')]);
    const all = await facts();
    const finished = all.find((fact) => fact.type === 'finished');
    if (!finished) throw new Error('the run is finished');
    const { alpha, best } = finished;
    if (!alpha) throw new Error('NE-SGD starts from alpha');
    expect(overview.rows[0]?.slice(0, 10)).toEqual([
      'done',
      'finished',
      'ne-sgd',
      'mnist',
      'resnet8',
      '1',
      ...[alpha.accuracy, best.accuracy, alpha.testAccuracy, best.testAccuracy].map(percent),
    ]);
    const spent = new Map(runs[0]?.spent.rows.map(([what, value]) => [what, value]));
    expect(spent.get('Individuals retrained')).toBe(String(all.filter((fact) => fact.type === 'evaluated').length));
    expect(spent.get('Epochs trained, alpha’s included')).toBe(String(finished.epochsTrained));
    expect(spent.get('Images trained on, alpha’s included')).toBe(finished.imagesTrained.toLocaleString('en'));
    expect(spent.get('of them known already (cache hits)')).toBe(String(finished.cacheHits));
    expect(runs[0]?.generations.rows.map(([, value]) => value)).toEqual(
      all.flatMap((fact) => (fact.type === 'generation' ? [percent(fact.best.fitness)] : [])),
    );
    expect(runs[0]?.expectation).toEqual({
      source: 'Table II',
      figures: [{ name: 'testAccuracy', published: 0.9482, measured: best.testAccuracy }],
    });
    expect(runs[0]?.settings.rows).toContainEqual(['expectation.testAccuracy', '0.9482']);
    const page = await readFile(inRun('done', 'report.html'), 'utf8');
    for (const fact of all) if (fact.type === 'evaluated') expect(page).toContain(`: ${percent(fact.accuracy)} %`);
  });

  it('writes several runs into one page, with Markdown and figures beside it', async () => {
    const args = [
      'report',
      'done',
      'open',
      'done',
      '--markdown',
      'out/report.md',
      '--png',
      'out/png',
      '--svg',
      'out/svg',
    ];
    const cli = workplace.start(args);
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    const files = cli.stdout.trimEnd().split('\n');
    expect(files[0]).toBe(here('report.html'));
    const page = await readFile(here('report.html'), 'utf8');
    expect(page.match(/<section class="run"/g)).toHaveLength(2);
    expect(page).toMatch(/not finished \(stopped\): generation 1 is closed of 3/);

    const svgs = (await readdir(here('out', 'svg'))).sort();
    expect((await readdir(here('out', 'png'))).sort()).toEqual(svgs.map((name) => name.replace('.svg', '.png')));
    const names = ['clusters', 'convergence', 'kept-blocks', 'masks', 'population'];
    expect(svgs).toEqual(['done', 'open'].flatMap((run) => names.map((name) => `${run}-${name}.svg`)));
    const markdown = await readFile(here('out', 'report.md'), 'utf8');
    const linked = [...markdown.matchAll(/\]\(<([^>]*)>\)/g)].map(([, path]) => path);
    expect(linked.sort()).toEqual(svgs.map((name) => `svg/${name}`));
    for (const name of svgs) {
      const png = await sharp(here('out', 'png', name.replace('.svg', '.png'))).stats();
      expect(png.channels[0]?.stdev, `${name} is not one colour`).toBeGreaterThan(1);
    }
  });

  it.each([
    [['report', 'nobody'], /there is no run nobody .*done, open/],
    [['report', 'done', 'nobody'], /there is no run nobody/],
    [['report'], /missing required argument 'run-id'/],
    [['report', 'done', '--out', 'runs/done/journal.jsonl/x.html'], /x\.html cannot be written .*name another place/],
  ])('refuses %j and writes nothing', async (args, says) => {
    const before = await listing(workplace.folder);
    const cli = workplace.start(args);
    expect(await cli.exited).toEqual({ code: 2, signal: null });
    expect(cli.stderr).toMatch(says);
    expect(await listing(workplace.folder)).toEqual(before);
  });
});
