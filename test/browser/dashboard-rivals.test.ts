import { join } from 'node:path';
import { METHOD_NAMES, type MethodName } from '@nesgd/core/methods';
import { readRun } from '@nesgd/core/run';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { seriousViolations } from './accessibility.js';
import { DashboardTest } from './dashboard-support.js';

/** Runs of NE-SGD's rivals, real ones, on the page and in the report. */
const RIVALS = METHOD_NAMES.filter((name) => name !== 'ne-sgd');
const ROUNDS: Partial<Record<MethodName, string>> = { esgd: 'Generation', pbt: 'Step' };
const OF_ALL = ['Overview', 'Convergence', 'Fitness', 'Workers and queue', 'Settings', 'Log'];

let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  for (const name of RIVALS) {
    const path = join(test.workplace.folder, `${name}.yaml`);
    await writeExperiment(
      path,
      tinyExperiment({
        dataset: { name: 'mnist', trainImages: 300, testImages: 100, validationFraction: 0.2 },
        alpha: { epochs: 2, learningRate: 0.1, batchSize: 16 },
        evolution: { populationSize: 2, generations: 1 },
        method: {
          name,
          sgd: { repeats: 3 },
          sgdRestarts: { repeats: 3 },
          esgd: { generations: 2, populationSize: 2, offspring: 2, elite: 1 },
          pbt: { steps: 3, populationSize: 2 },
        },
      }),
    );
    await test.workplace
      .start(['run', path, '--run-id', name, '--workers', '2', '--broker', 'local', '--json'])
      .summary();
  }
  await test.serve();
}, 600_000);
afterAll(() => test?.destroy());
afterEach(() => expect(test.complaints.splice(0)).toEqual([]));

async function open(method: string, view: string): Promise<Page> {
  const page = await test.page();
  await page.goto(`${test.url}/runs/${method}/${view}`);
  await page.getByRole('heading', { level: 2 }).first().waitFor();
  return page;
}

const card = (page: Page, name: string) =>
  page.locator('.cards > div', { has: page.locator(`dt:text-is("${name}")`) }).locator('dd');
const factsOf = async (method: string) => (await readRun(test.runs, method)).lines.map(({ fact }) => fact);

describe.each(RIVALS)('%s', (method) => {
  const isOfMasks = method === 'random-masks';
  const round = ROUNDS[method] ?? 'Round';

  it('its overview has the journal’s figures, in the method’s own words', async () => {
    const facts = await factsOf(method);
    const finished = facts.find((fact) => fact.type === 'finished');
    const page = await open(method, 'overview');
    await expect.poll(() => card(page, 'Best so far').textContent()).toContain(finished?.best.accuracy.toFixed(4));
    expect(await card(page, 'Test accuracy').textContent()).toContain(finished?.best.testAccuracy.toFixed(4));
    const last = facts.findLast((fact) => fact.type === 'step' || fact.type === 'generation');
    expect(await card(page, round).textContent()).toContain(`${last?.t} of ${last?.t}`);
    const trained = facts.filter((fact) => (fact.type === 'trained' || fact.type === 'evaluated') && fact.curve.length);
    const name = isOfMasks ? 'Individuals retrained' : 'Networks trained';
    const note = (await card(page, name).locator('small').textContent()) ?? '';
    expect(await card(page, name).textContent()).toBe(`${trained.length}${note}`);
    expect(await card(page, 'Budget spent').textContent()).toContain(finished?.imagesTrained.toLocaleString('en'));
    expect(await card(page, 'Alpha').count()).toBe(isOfMasks || method === 'sgd-restarts' ? 1 : 0);
    const views = isOfMasks ? [...OF_ALL.slice(0, 3), 'Masks', 'Blocks', ...OF_ALL.slice(3)] : OF_ALL;
    expect(await page.locator('nav.views a').allTextContents()).toEqual(views);
    expect(await seriousViolations(page)).toEqual([]);
  });

  it('its curves go on where the weights came from', async () => {
    const page = await open(method, 'convergence');
    const slider = page.getByRole('slider');
    const facts = await factsOf(method);
    const curves = facts.filter((fact) => 'curve' in fact && fact.curve.length > 0);
    await expect.poll(() => slider.getAttribute('aria-valuemax')).toBe(String(curves.length));
    await slider.focus();
    const epochs: number[] = [];
    for (const _ of curves) {
      await page.keyboard.press('ArrowDown');
      epochs.push(Number(/after epoch (\d+)/.exec((await page.locator('.readout').textContent()) ?? '')?.[1]));
    }
    const longest = { sgd: 2, 'sgd-restarts': 3, 'random-masks': 3, esgd: 2, pbt: 3, 'ne-sgd': 0 }[method];
    expect(Math.max(...epochs)).toBe(longest);
    expect(await page.locator('svg.axis').textContent()).toContain(
      longest === 3 && method !== 'pbt' ? 'alpha' : 'epoch',
    );
  });

  it('its populations are those of its steps', async () => {
    const page = await open(method, 'fitness');
    await page.getByRole('heading', { name: `Fitness by ${round.toLowerCase()}` }).waitFor();
    const facts = await factsOf(method);
    const rounds = facts.filter((fact) => fact.type === 'step' || fact.type === 'generation');
    const table = page.locator('table', { has: page.locator('caption', { hasText: 'In figures' }) });
    expect(await table.locator('tbody tr').count()).toBe(rounds.length);
    const last = rounds.at(-1);
    if (last?.type === 'step') {
      const rows = page
        .locator('table', { has: page.locator('caption', { hasText: 'ends with, most' }) })
        .locator('tbody tr');
      const members = last.population.map(({ id, accuracy }) => `${id} ${accuracy.toFixed(4)}`);
      const cells = async (row: (typeof rows)['first'] extends () => infer R ? R : never) =>
        (await row.locator('th, td').allTextContents()).slice(0, 2).join(' ');
      expect((await Promise.all((await rows.all()).map(cells))).sort()).toEqual(members.sort());
    }
    expect(await seriousViolations(page)).toEqual([]);
  });
});

it.each(RIVALS.filter((method) => ROUNDS[method] !== 'Generation'))(
  '%s: nothing speaks of generations, on the page or in the report',
  async (method) => {
    const views = [
      'overview',
      'convergence',
      'fitness',
      'work',
      ...(method === 'random-masks' ? ['masks', 'blocks'] : []),
    ];
    for (const view of views) {
      const page = await open(method, view);
      expect(await page.locator('main').textContent()).not.toMatch(/generation/i);
    }
    await test.workplace.start(['report', method]).exited;
    const page = await test.page();
    await page.goto(`file://${join(test.runs, method, 'report.html')}`);
    // The settings name keys of the experiment file, which has those of all methods.
    await page.evaluate(`[...document.querySelectorAll('section.run .table')].at(-1).remove()`);
    const text = await page.locator('section.run').textContent();
    expect(text).not.toMatch(/generation/i);
    expect(text).toContain(`${ROUNDS[method] ?? 'Round'}s`);
  },
);

it('the list names each run’s method and what it has closed in its words', async () => {
  const page = await test.page();
  await page.goto(test.url);
  await page.locator('tr', { hasText: 'pbt' }).getByText('step 3 of 3').waitFor();
  await page.locator('tr', { hasText: 'esgd' }).getByText('generation 2 of 2').waitFor();
});
