import { join } from 'node:path';
import { canonicalFacts, type Fact, readRun } from '@nesgd/core/run';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { seriousViolations } from './accessibility.js';
import { DashboardTest } from './dashboard-support.js';

/** Runs that go on in processes of their own are told what to do from the page. */
let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  const evolution = { populationSize: 6, generations: 2 };
  await writeExperiment(join(test.workplace.folder, 'tiny.yaml'), tinyExperiment({ evolution }));
  await test.serve();
});
afterAll(() => test?.destroy());
afterEach(() => expect(test.complaints.splice(0)).toEqual([]));

const start = (runId: string) =>
  test.workplace.start(['run', 'tiny.yaml', '--run-id', runId, '--workers', '1', '--broker', 'local', '--json']);

async function factsOf(runId: string): Promise<Fact[]> {
  const { lines } = await readRun(test.runs, runId);
  return canonicalFacts(lines).map((fact) => (fact.type === 'opened' ? { ...fact, runId: '' } : fact));
}

async function open(runId: string): Promise<Page> {
  const page = await test.page();
  const isThere = async () => (await fetch(`${test.url}/api/runs/${runId}`)).status;
  await expect.poll(isThere).toBe(200);
  await page.goto(`${test.url}/runs/${runId}`);
  await page.locator('.state.running').waitFor();
  return page;
}

/** Tabs to the button and presses it, as one without a mouse. */
async function press(page: Page, name: string): Promise<void> {
  const focused = 'document.activeElement?.textContent?.trim()';
  await page.getByRole('button', { name, exact: true, disabled: false }).waitFor();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(focused)) === name) return page.keyboard.press('Enter');
  }
  throw new Error(`${name} cannot be reached by Tab`);
}

it('a run is paused and goes on, by keyboard; the result is that of an undisturbed one', async () => {
  await start('undisturbed').summary();
  const run = start('paused');
  const page = await open('paused');
  await press(page, 'Pause');
  await page.locator('.state.paused').waitFor();
  await page.getByRole('status').getByText('run paused is paused').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  const list = await test.page();
  await list.goto(test.url);
  await list.locator('tr', { hasText: 'paused' }).locator('.state.paused').waitFor();
  await press(page, 'Resume');
  await page.locator('.state.running').waitFor();
  await run.summary();
  await page.locator('.state.finished').waitFor();
  expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
  expect(await factsOf('paused')).toEqual(await factsOf('undisturbed'));
});

it('a run is stopped only when that is confirmed', async () => {
  const run = start('stopped');
  const page = await open('stopped');
  await press(page, 'Stop …');
  const dialog = page.getByRole('dialog', { name: 'Stop this run?' });
  await dialog.waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Let it go on');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Stop …');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect(run.child.exitCode).toBeNull();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect((await run.exited).code).toBe(130);
  await page.locator('.state.stopped').waitFor();
  await page
    .getByRole('status')
    .getByText(/resume stopped.*goes on/)
    .waitFor();
});

it('while it is told something its buttons wait; what it refuses, or that nobody answers, is said', async () => {
  const run = start('refusing');
  const page = await open('refusing');
  const answers: (() => Promise<void>)[] = [];
  const refusal = { code: 'RUN_STATE', message: 'run refusing has ended in the meantime' };
  await page.route('**/pause', (route) => {
    answers.push(answers.length === 0 ? () => route.fulfill({ status: 409, json: refusal }) : () => route.abort());
  });
  for (const [i, said] of [refusal.message, 'the coordinator does not answer'].entries()) {
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('status').getByText('told to pause').waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).isDisabled()).toBe(true);
    await expect.poll(() => answers.length).toBe(i + 1);
    await answers[i]?.();
    await page.getByRole('alert').getByText(said).waitFor();
    expect(await page.getByRole('button', { name: 'Pause' }).isEnabled()).toBe(true);
  }
  expect(await seriousViolations(page)).toEqual([]);
  run.child.kill('SIGINT');
  expect((await run.exited).code).toBe(130);
});
