import { join } from 'node:path';
import { type EvaluatedFact, readRun } from '@nesgd/core/run';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { seriousViolations } from './accessibility.js';
import { DashboardTest } from './dashboard-support.js';
import { beginRun, recordRun } from './recorded-run.js';

const VIEWS = ['overview', 'convergence'];

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
    for (const figure of [finished?.alpha.accuracy, finished?.best.accuracy, finished?.best.testAccuracy])
      expect(await row.textContent()).toContain(figure?.toFixed(4));
    expect(await page.locator('tr', { hasText: 'stopped' }).textContent()).toContain('unfinished');
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
      `${finished?.best.testAccuracy.toFixed(4)}alpha ${finished?.alpha.testAccuracy.toFixed(4)}`,
    );
    expect(await card('Generation')).toBe(`3 of 3nabla ${generation?.nabla.toFixed(4)}`);
    expect(await card('Individuals retrained')).toContain(String(evaluated.length));
    const images = [alpha, ...evaluated].reduce((sum, fact) => sum + (fact?.imagesTrained ?? 0), 0);
    expect(await card('Budget spent')).toContain(images.toLocaleString('en'));
    expect(await page.locator('p.mask').textContent()).toBe(finished?.best.mask);
  });
});

describe('for everybody', () => {
  const paths = [
    '/',
    '/compare?runs=recorded,stopped',
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

function evaluated(mask: string, accuracy: number): EvaluatedFact {
  return { type: 'evaluated', mask, repeat: 0, accuracy, curve: [], weights: null, imagesTrained: 10 };
}
