import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRun } from '@nesgd/core/run';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { until } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { seriousViolations } from './accessibility.js';
import { DashboardTest, press } from './dashboard-support.js';

/** Runs are started from the page: a real server starts real processes. */
let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  await test.serve();
});
afterAll(() => test?.destroy());
afterEach(() => expect(test.complaints.splice(0)).toEqual([]));

const TEXT = stringify(tinyExperiment({ evolution: { populationSize: 3, generations: 1 } }));
const editor = (page: Page) => page.getByLabel('Experiment (YAML)');
const faults = (page: Page) => page.getByRole('alert', { name: 'Faults of the experiment' });
const isNarrow = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

async function open(path = '/new', options: Parameters<DashboardTest['page']>[0] = {}): Promise<Page> {
  const page = await test.page(options);
  await page.goto(test.url + path);
  await page.getByRole('heading', { name: 'Start a run' }).waitFor();
  return page;
}

/** Runs started by the server are nobody's child here: a test waits for their end. */
async function finished(runId: string): Promise<void> {
  const state = async () => (await (await fetch(`${test.url}/api/runs/${runId}`)).json()) as { state?: string };
  await until(`${runId} is finished`, async () => (await state()).state === 'finished', 100_000);
}

it('faults of a text are said beside it, each leads to its line; mended, the run begins: all by keyboard', async () => {
  const page = await open();
  await page.keyboard.press('Tab');
  await editor(page).focus();
  await page.keyboard.insertText(TEXT.replace('seed: 7', 'seed: -7').replace('epochs: 3', 'epohcs: 3'));
  await press(page, 'Start the run');
  await faults(page).getByText('did you mean alpha.epochs?').waitFor();
  expect(await faults(page).getByRole('listitem').count()).toBe(3);
  expect(await page.locator('.gutter .faulty').allTextContents()).toEqual(['2', '11', '12']);
  expect(await editor(page).getAttribute('aria-invalid')).toBe('true');
  expect(await seriousViolations(page)).toEqual([]);

  await faults(page).getByRole('button', { name: 'Line 2' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.insertText('seed: 7');
  await faults(page).getByRole('button', { name: 'Line 12' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.insertText('  epochs: 3');
  expect(await editor(page).inputValue()).toBe(TEXT);
  await page.getByLabel('Run id').fill('typed');
  await page.getByLabel('Workers').fill('1');
  await press(page, 'Start the run');
  await page.getByRole('heading', { name: 'typed', level: 1 }).waitFor();
  await page.locator('.state.finished').waitFor();
  expect((await readRun(test.runs, 'typed')).opened.experiment.evolution.populationSize).toBe(3);
  await page.getByRole('link', { name: 'Start a run' }).click();
  expect(await editor(page).inputValue()).toBe('');
});

it('a file is taken, kept while one looks elsewhere, and started with its priority', async () => {
  const path = join(test.workplace.folder, 'mine.yaml');
  await writeFile(path, TEXT);
  const page = await open();
  await page.getByLabel('From a file').setInputFiles(path);
  await expect.poll(() => editor(page).inputValue()).toBe(TEXT);
  await page.getByRole('link', { name: 'Workers' }).click();
  await page.getByRole('heading', { name: 'Workers' }).waitFor();
  await page.getByRole('link', { name: 'Start a run' }).click();
  expect(await editor(page).inputValue()).toBe(TEXT);
  await page.getByLabel('Run id').fill('from-a-file');
  await page.getByLabel('Priority').fill('5');
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.getByRole('heading', { name: 'from-a-file' }).waitFor();
  expect(await (await fetch(`${test.url}/api/runs/from-a-file`)).json()).toMatchObject({ priority: 5 });
  await finished('from-a-file');
  // A taken name is refused in place, and nothing that was typed is lost.
  await page.goto(`${test.url}/new`);
  await editor(page).fill(TEXT);
  await page.getByLabel('Run id').fill('from-a-file');
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.getByRole('alert').getByText('from-a-file').waitFor();
  expect(await editor(page).inputValue()).toBe(TEXT);
  const large = { name: 'large.yaml', mimeType: 'text/plain', buffer: Buffer.alloc(300_000, 'x') };
  await page.getByLabel('From a file').setInputFiles(large);
  await page.getByText('no experiment file').waitFor();
});

it('the experiment of a run is where another begins', async () => {
  const page = await open('/new?from=typed');
  await expect.poll(() => editor(page).inputValue()).toContain('# As run typed, every key.');
  expect(await editor(page).inputValue()).toContain('populationSize: 3');
  const nobody = await open('/new?from=nobody');
  await nobody.getByRole('alert').getByText('there is no run nobody').waitFor();
});

it('the example begins', async () => {
  const page = await open();
  await page.getByRole('button', { name: 'Fill in an example' }).click();
  await page.getByLabel('Run id').fill('example');
  await page.getByRole('button', { name: 'Start the run' }).click();
  await page.getByRole('heading', { name: 'example', level: 1 }).waitFor();
  await page.locator('.state.running').waitFor();
  await page.getByRole('button', { name: 'Stop …' }).click();
  await page.getByRole('button', { name: 'Stop the run' }).click();
  await page.locator('.state.stopped').waitFor();
});

it.each([
  ['no YAML', 'name: x\nalpha: { epochs: 3\nseed: 1\n', /not valid YAML|Flow map|must/i],
  ['markup', 'name: "<img src=x onerror=alert(1)>"\n"</script><script>document.title=1</script>": 1\n', /<script>/],
  ['brackets without end', '['.repeat(60_000), /nested more than/],
  ['aliases of aliases', bomb(), /YAML/],
  ['a file of the machine', TEXT.replace('name: mnist', 'name: mnist\n  path: /etc'), /dataset\.path/],
  ['other characters', '\u202Ename\u0000: \uFFFE\n', /./],
])('%s is refused in words, and does nothing else', async (_, text, wanted) => {
  const page = await open('/new', { colorScheme: 'dark', viewport: { width: 360, height: 740 } });
  await editor(page).fill(text);
  await page.getByRole('button', { name: 'Start the run' }).click();
  await expect.poll(() => page.getByRole('alert').allTextContents()).toEqual([expect.stringMatching(wanted)]);
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect(await page.title()).toBe('Start a run - nesgd');
  expect(await seriousViolations(page)).toEqual([]);
  expect(await isNarrow(page)).toBe(true);
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
  return ['a0: &a0 [x]', ...levels].join('\n');
}
