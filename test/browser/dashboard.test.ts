import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvaluatedFact, readRun } from '@nesgd/core/run';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { seriousViolations } from './accessibility.js';
import { DashboardTest } from './dashboard-support.js';
import { beginRun, recordRun } from './recorded-run.js';

const VIEWS = [
  'overview',
  'convergence',
  'fitness',
  'masks',
  'clusters',
  'lineage',
  'blocks',
  'work',
  'settings',
  'log',
];

/** The dashboard in a real browser, against the journals that it shows. */
let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  await recordRun(test.runs, { runId: 'recorded' });
  await recordRun(test.runs, { runId: 'stopped', stopAfter: 1 });
  const slow = { alpha: { epochs: 4, learningRate: 0.1, batchSize: 16 } };
  await writeExperiment(join(test.workplace.folder, 'live.yaml'), tinyExperiment(slow));
  await test.serve();
});
afterAll(() => test?.destroy());
afterEach(() => expect(test.complaints.splice(0)).toEqual([]));

describe('the list', () => {
  it('has every run with its state and figures, and leads to it', async () => {
    const page = await test.page();
    await page.goto(test.url);
    const rows = page.locator('tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    const { lines } = await readRun(test.runs, 'recorded');
    const finished = lines.map(({ fact }) => fact).find((fact) => fact.type === 'finished');
    const row = page.locator('tr', { hasText: 'recorded' });
    await row.locator('.state.finished').waitFor(); // Its journal may still be read.
    await page.locator('tr', { hasText: 'stopped' }).locator('.state.stopped').waitFor();
    for (const figure of [finished?.alpha?.accuracy, finished?.best.accuracy, finished?.best.testAccuracy])
      expect(await row.textContent()).toContain(figure?.toFixed(4));
    expect(await page.locator('tr', { hasText: 'stopped' }).textContent()).toContain('stopped');
    await page.getByRole('link', { name: 'recorded' }).click();
    await page.getByRole('heading', { name: 'recorded', level: 1 }).waitFor();
  });
});

describe('the overview of a run', () => {
  it('has the figures of its journal', async () => {
    const page = await test.page();
    await page.goto(`${test.url}/runs/recorded`);
    const facts = (await readRun(test.runs, 'recorded')).lines.map(({ fact }) => fact);
    const alpha = facts.find((fact) => fact.type === 'alpha');
    const finished = facts.find((fact) => fact.type === 'finished');
    const generation = facts.findLast((fact) => fact.type === 'generation');
    const evaluated = facts.filter((fact) => fact.type === 'evaluated');
    const card = async (name: string) =>
      page
        .locator('.cards > div', { has: page.locator(`dt:text-is("${name}")`) })
        .locator('dd')
        .textContent();
    await expect.poll(() => card('Best so far')).toContain(finished?.best.accuracy.toFixed(4));
    expect(await card('Alpha')).toContain(alpha?.accuracy.toFixed(4));
    expect(await card('Test accuracy')).toBe(
      `${finished?.best.testAccuracy.toFixed(4)}alpha ${finished?.alpha?.testAccuracy.toFixed(4)}`,
    );
    expect(await card('Generation')).toBe(`3 of 3nabla ${generation?.nabla.toFixed(4)}`);
    expect(await card('Individuals retrained')).toContain(String(evaluated.length));
    const images = [alpha, ...evaluated].reduce((sum, fact) => sum + (fact?.imagesTrained ?? 0), 0);
    expect(await card('Budget spent')).toContain(images.toLocaleString('en'));
    expect(await page.locator('p.mask').textContent()).toBe(finished?.best.mask);
  });
});

describe('the views of a run have the figures of its journal', () => {
  const facts = async () => (await readRun(test.runs, 'recorded')).lines.map(({ fact }) => fact);
  const generations = async () => (await facts()).filter((fact) => fact.type === 'generation');
  const evaluated = async () => (await facts()).filter((fact) => fact.type === 'evaluated');
  /** The cells of the table with that caption, row by row. */
  const table = async (view: string, caption: RegExp): Promise<string[][]> => {
    const page = await test.page();
    await page.goto(`${test.url}/runs/recorded/${view}`);
    const rows = page.locator('table', { has: page.locator('caption', { hasText: caption }) }).locator('tbody tr');
    await rows.first().waitFor();
    const cells = await Promise.all((await rows.all()).map((row) => row.locator('th, td').allTextContents()));
    await page.context().close();
    return cells;
  };

  it('fitness: least and greatest of the survivors, and nabla', async () => {
    const rows = await table('fitness', /In figures/);
    const wanted = (await generations()).map(({ t, parents, nabla }) => {
      const accuracies = parents.map(({ fitness }) => fitness);
      return [String(t), ...[Math.min(...accuracies), Math.max(...accuracies), nabla].map((value) => value.toFixed(4))];
    });
    expect(rows.map(([t, least, , , , greatest, nabla]) => [t, least, greatest, nabla])).toEqual(wanted);
  });

  it('masks: every individual with its mask, accuracy and first generation, fittest first', async () => {
    const rows = await table('masks', /Individuals, fittest first/);
    const all = await generations();
    const wanted = (await evaluated())
      .map(({ mask, accuracy }, number) => {
        const born = all.find(({ pool }) => pool.some((one) => one.mask.join('') === mask))?.t;
        return { accuracy, cells: [String(number), mask, accuracy.toFixed(4), String(born)] };
      })
      .sort((a, b) => b.accuracy - a.accuracy);
    expect(rows.map((cells) => cells.slice(0, 4))).toEqual(wanted.map(({ cells }) => cells));
  });

  it('clusters: of each of the pool, and who was suppressed', async () => {
    const rows = await table('clusters', /The pool by cluster/);
    const last = (await generations()).at(-1);
    const wanted = last?.pool.map(({ mask, fitness }, i) => [
      String(last.clusters[i]),
      fitness.toFixed(4),
      mask.join(''),
      last.suppressed.includes(i) ? 'suppressed' : '',
    ]);
    const got = rows.map(([, cluster, , accuracy, mask, , suppressed]) => [cluster, accuracy, mask, suppressed]);
    expect(got.toSorted()).toEqual(wanted?.toSorted());
  });

  it('blocks: the share of each population that keeps them', async () => {
    const rows = await table('blocks', /Share of the population/);
    const all = await generations();
    const share = (block: number, of: (typeof all)[number] | undefined) =>
      `${((100 * (of?.parents.filter(({ mask }) => mask[block] === 1).length ?? 0)) / (of?.parents.length ?? 1)).toFixed(1)} %`;
    expect(rows.map(([, , first, last]) => [first, last])).toEqual(
      rows.map((_, block) => [share(block, all[0]), share(block, all.at(-1))]),
    );
  });

  it('lineage: the parents, crossover and mutations of every offspring', async () => {
    const page = await test.page();
    const all = await generations();
    const numbers = new Map((await evaluated()).map(({ mask }, number) => [mask, number]));
    const seen = new Set(all[0]?.parents.map(({ mask }) => mask.join('')));
    for (const { t, offspring, lineage, pool } of all) {
      for (const [i, child] of offspring.entries()) {
        const mask = child.mask.join('');
        if (seen.has(mask)) continue;
        seen.add(mask);
        const { parents, crossover, mutated } = lineage[i] ?? { parents: [0, 0], crossover: false, mutated: [] };
        await page.goto(`${test.url}/runs/recorded/lineage?individual=${numbers.get(mask)}`);
        const [first, second] = parents.map((place) => numbers.get(pool[place]?.mask.join('') ?? ''));
        const flips = mutated.length === 0 ? 'no bit' : mutated.length === 1 ? 'one bit' : `${mutated.length} bits`;
        const how = crossover ? 'which exchanged bits' : 'without crossover';
        const text = `Born in generation ${t} of individual ${first} and individual ${second}, ${how}; mutation flipped ${flips}.`;
        await page.getByText(text).waitFor();
        expect(await page.locator('tr.marked').count()).toBe(mutated.length);
      }
    }
  });

  it('settings: every key of the experiment', async () => {
    const { opened } = await readRun(test.runs, 'recorded');
    const rows = new Map((await table('settings', /Every key/)).map(([key, value]) => [key, value]));
    expect(rows.get('evolution.populationSize')).toBe(String(opened.experiment.evolution.populationSize));
    expect(rows.get('retrain.learningRateRetained')).toBe(String(opened.experiment.retrain!.learningRateRetained));
    expect(rows.get('dataset.name')).toBe(opened.experiment.dataset.name);
  });

  it('workers: their jobs', async () => {
    const rows = await table('work', /Jobs and their time/);
    const jobs = rows.reduce((sum, cells) => sum + Number(cells[3]), 0);
    expect(jobs).toBe((await evaluated()).length + 1);
  });
});

describe('for everybody', () => {
  const paths = [
    '/',
    '/compare?runs=recorded,stopped',
    '/new',
    '/workers',
    ...VIEWS.map((view) => `/runs/recorded/${view}`),
    '/runs/nothing',
    '/nowhere',
  ];

  it.each(paths)('axe finds nothing serious on %s, in light and dark, wide and narrow', async (path) => {
    for (const options of [
      { colorScheme: 'light', viewport: { width: 1280, height: 900 } },
      { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    ] as const) {
      const page = await test.page(options);
      await page.goto(test.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Reading').waitFor({ state: 'detached' });
      expect(await seriousViolations(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')).toBe(
        false,
      );
      await page.close();
    }
  });
});

describe('a live run', () => {
  it('is on the page epoch by epoch while another process works on it, and when it is over', async () => {
    const page = await test.page();
    const run = test.workplace.start(['run', 'live.yaml', '--run-id', 'live', '--workers', '1', '--json']);
    await page.goto(`${test.url}/runs/live`);
    // Before the run exists the page says so.
    await page.getByText('there is no run live').waitFor();
    const cell = page.locator('table', { hasText: 'Trainings under way' }).locator('tbody td');
    await expect.poll(() => fetchStatus('live')).toBe(200);
    await page.reload();
    await expect.poll(() => cell.allTextContents(), { interval: 50 }).toContain('1 of 4');
    await expect.poll(() => cell.allTextContents(), { interval: 50 }).toContain('2 of 4');
    await run.summary();
    await page.locator('.state.finished').waitFor();
    const facts = (await readRun(test.runs, 'live')).lines.map(({ fact }) => fact);
    const finished = facts.find((fact) => fact.type === 'finished');
    expect(await page.locator('.cards').textContent()).toContain(finished?.best.testAccuracy.toFixed(4));
  });

  async function fetchStatus(runId: string): Promise<number> {
    return (await fetch(`${test.url}/api/runs/${runId}`)).status;
  }
});

describe('the coordinator gone and back', () => {
  it('shows what it had and says so; back, the page has every line again, once', async () => {
    const page = await test.page();
    const run = await beginRun(test.runs, { runId: 'interrupted' });
    try {
      await run.journal.append(evaluated('111111', 0.5));
      await page.goto(`${test.url}/runs/interrupted`);
      const retrained = page.locator('.cards > div', { has: page.locator('dt:text-is("Individuals retrained")') });
      await expect.poll(() => retrained.locator('dd').textContent()).toMatch(/^1at/);
      const { port } = new URL(test.url);
      await test.stopServing();
      await page.getByText('The coordinator does not answer').waitFor();
      expect(await retrained.locator('dd').textContent()).toMatch(/^1at/);
      await run.journal.append(evaluated('011111', 0.75));
      await run.journal.append(evaluated('001111', 0.625));
      await test.serve({}, [], Number(port));
      await expect.poll(() => retrained.locator('dd').textContent()).toMatch(/^3at/);
      expect(await page.getByText('The coordinator does not answer').count()).toBe(0);
      await run.journal.append(evaluated('000111', 0.875));
      await expect.poll(() => retrained.locator('dd').textContent()).toMatch(/^4at/);
      expect(await page.locator('.cards').textContent()).toContain('0.8750');
    } finally {
      await run.close();
    }
  });
});

describe('what does not go as usual', () => {
  it('a run that is replaced or retried while nobody looks is shown from its start, not mixed with what it was', async () => {
    const before = await beginRun(test.runs, { runId: 'replaced' });
    for (const mask of ['111111', '011111', '001111']) await before.journal.append(evaluated(mask, 0.9375));
    const page = await test.page();
    await page.goto(`${test.url}/runs/replaced`);
    const cards = page.locator('.cards');
    await expect.poll(() => cards.textContent()).toContain('0.9375');
    const compared = await test.page();
    await compared.goto(`${test.url}/compare?runs=replaced`);
    const row = compared.locator('tbody tr');
    await expect.poll(() => row.textContent()).toContain('0.9375');
    await setHidden(page, true);
    await before.close();
    await rename(join(test.runs, 'replaced'), join(test.runs, '.replaced-before'));
    const after = await beginRun(test.runs, { runId: 'replaced' });
    for (const mask of ['100000', '110000', '111000', '111100']) await after.journal.append(evaluated(mask, 0.25));
    await setHidden(page, false);
    await expect.poll(() => cards.textContent()).toContain('Individuals retrained4at');
    expect(await cards.textContent()).toContain('Best so far0.2500');
    await expect.poll(() => row.textContent()).toContain('0.2500');
    await after.journal.append(evaluated('111110', 0.5));
    await expect.poll(() => cards.textContent()).toContain('Best so far0.5000');
    await after.close();
  });

  it('a run that diverged says why, and what to change', async () => {
    const run = await beginRun(test.runs, { runId: 'lost', blocks: ['a', 'b'] });
    const reason = 'alpha left the numbers: lower alpha.learningRate';
    await run.journal.append({ type: 'diverged', what: 'alpha', reason });
    await run.close();
    const page = await test.page();
    await page.goto(`${test.url}/runs/lost`);
    await page.getByRole('alert').filter({ hasText: reason }).waitFor();
    await page.locator('.state.diverged').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it('an individual that was given up is said so, with its reason, and counts with 0', async () => {
    const run = await beginRun(test.runs, { runId: 'failing', blocks: ['a', 'b'] });
    await run.journal.append(evaluated('10', 0.5));
    const reason = 'three trainers died of it';
    await run.journal.append({ type: 'failed', mask: '01', repeat: 0 }, { reason });
    const individuals = [
      { mask: [1, 0], fitness: 0.5 },
      { mask: [0, 1], fitness: 0 },
    ] as const;
    await run.journal.append({
      type: 'generation',
      t: 0,
      parents: individuals,
      best: individuals[0],
      nabla: 0.5,
      offspring: [],
      lineage: [],
      pool: individuals,
      clusters: [],
      suppressed: [],
    });
    await run.close();
    const page = await test.page();
    await page.goto(`${test.url}/runs/failing`);
    await expect.poll(() => page.locator('.cards').textContent()).toContain('1 given up');
    await page.goto(`${test.url}/runs/failing/log`);
    await page.getByText(reason).waitFor();
    await page.goto(`${test.url}/runs/failing/fitness`);
    await expect.poll(() => page.locator('tbody tr').first().textContent()).toContain('0.0000');
  });
});

function evaluated(mask: string, accuracy: number): EvaluatedFact {
  return { type: 'evaluated', mask, repeat: 0, accuracy, curve: [], weights: null, imagesTrained: 10 };
}

/** As if the tab were covered by another. */
async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
    document.dispatchEvent(new Event('visibilitychange'));`);
}
