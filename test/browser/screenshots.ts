import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, it } from 'vitest';
import { DashboardTest } from './dashboard-support.js';

/** Pictures for the README: a real search on real images, some minutes on two cores, looked at while it goes on. */
const FIGURES = fileURLToPath(new URL('../../docs/figures/', import.meta.url));
const EXPERIMENT = fileURLToPath(new URL('../../experiments/quickstart.yaml', import.meta.url));
const SETTINGS = [
  'name=digits',
  'model.granularity=layer',
  'alpha.epochs=5',
  'retrain.epochs=2',
  'evolution.populationSize=8',
  'evolution.generations=5',
];
/** Pixels of the pictures; pages are drawn at twice that. */
const SIZE = { width: 900, height: 560 };

let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  await test.serve();
});
afterAll(() => test?.destroy());

async function take(page: Page, name: string): Promise<void> {
  const picture = await sharp(await page.screenshot())
    .png({ palette: true, colours: 64, effort: 10 })
    .toBuffer();
  await writeFile(join(FIGURES, `${name}.png`), picture);
}

async function open(runId: string, view: string, colorScheme: 'light' | 'dark'): Promise<Page> {
  const page = await test.page({ viewport: SIZE, colorScheme, deviceScaleFactor: 1.5 });
  await page.goto(`${test.url}/runs/${runId}/${view}`);
  await page.getByRole('heading', { level: 2 }).first().waitFor();
  return page;
}

it('pictures of the dashboard', async () => {
  const settings = SETTINGS.flatMap((setting) => ['--set', setting]);
  const run = test.workplace.start(['run', EXPERIMENT, '--run-id', 'digits', '--json', ...settings]);
  const live = await test.page({ viewport: SIZE, colorScheme: 'light', deviceScaleFactor: 1.5 });
  const shown = async () => (await fetch(`${test.url}/api/runs/digits`)).ok;
  while (!(await shown())) await Promise.race([run.exited, live.waitForTimeout(200)]);
  await live.goto(`${test.url}/runs/digits`);
  await live.locator('dd', { hasText: '3 of 5' }).waitFor({ timeout: 0 });
  await live.locator('table', { hasText: 'Trainings under way' }).locator('tbody tr').nth(1).waitFor({ timeout: 0 });
  await take(live, 'dashboard-live');
  await run.summary();
  await take(await open('digits', 'convergence', 'dark'), 'dashboard-convergence');
  await take(await open('digits', 'masks', 'light'), 'dashboard-masks');
  await take(await open('digits', 'clusters', 'light'), 'dashboard-clusters');
});
