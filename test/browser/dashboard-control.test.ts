import { chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalFacts, createRun, type Fact, readRun } from '@nesgd/core/run';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { childrenOf, until, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { seriousViolations } from './accessibility.js';
import { DashboardTest, press } from './dashboard-support.js';

/** Runs that go on in processes of their own are told what to do from the page. */
let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  for (const [name, generations] of Object.entries({ tiny: 2, endless: 1_000 })) {
    const evolution = { populationSize: 6, generations };
    await writeExperiment(join(test.workplace.folder, `${name}.yaml`), tinyExperiment({ evolution }));
  }
  await start('undisturbed').summary();
  await test.serve();
});
afterAll(() => test?.destroy());
afterEach(() => expect(test.complaints.splice(0)).toEqual([]));

/** @param experiment `endless` goes on until it is ended. */
const start = (runId: string, experiment: 'tiny' | 'endless' = 'tiny') => {
  const options = ['--run-id', runId, '--workers', '1', '--broker', 'local', '--json'];
  return test.workplace.start(['run', `${experiment}.yaml`, ...options]);
};

/** The first trainer of a process stands still, and what it is at lasts, until what this returns is called. */
async function holdTrainer(parent: () => Promise<number | undefined>): Promise<() => void> {
  const trainer = await until('it has a trainer', async () => {
    const pid = await parent();
    return pid !== undefined && (await childrenOf(pid, 'trainer/main.js'))[0];
  });
  process.kill(trainer, 'SIGSTOP');
  return () => process.kill(trainer, 'SIGCONT');
}

async function workerPid(name: string): Promise<number | undefined> {
  const answer = await fetch(`${test.url}/api/workers`);
  const { workers } = (await answer.json()) as { workers: { name: string; pid: number }[] };
  return workers.find((worker) => worker.name === name)?.pid;
}

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

it('a run is paused and goes on, by keyboard; the result is that of an undisturbed one', async () => {
  const run = start('paused');
  const goOn = await holdTrainer(async () => run.child.pid);
  const page = await open('paused');
  await press(page, 'Pause');
  await page.locator('.state.paused').waitFor();
  goOn();
  await page.getByRole('status').getByText('run paused is paused').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  const list = await test.page();
  await list.goto(test.url);
  await list.locator('tr', { hasText: 'paused' }).locator('.state.paused').waitFor();
  await press(page, 'Resume');
  await page.locator('.state.running').waitFor();
  await run.summary();
  await page.locator('.state.finished').waitFor();
  expect(await page.getByRole('button', { name: 'Pause', exact: true }).count()).toBe(0);
  expect(await factsOf('paused')).toEqual(await factsOf('undisturbed'));
});

it('a stopped run goes on from the page, and ends with the facts of an undisturbed one', async () => {
  const run = start('resumed');
  const page = await open('resumed');
  await until('alpha is measured', async () => (await readRun(test.runs, 'resumed')).lines.length > 1);
  await page.getByRole('button', { name: 'Stop …' }).click();
  await page.getByRole('button', { name: 'Stop the run' }).click();
  expect((await run.exited).code).toBe(130);
  await page.locator('.state.stopped').waitFor();
  expect(await page.getByRole('button', { name: /Pause|Stop|Retry/ }).count()).toBe(0);
  expect(await seriousViolations(page)).toEqual([]);
  await press(page, 'Resume');
  await page.getByRole('status').getByText('run resumed goes on').waitFor();
  await page.locator('.state.finished').waitFor();
  expect(await factsOf('resumed')).toEqual(await factsOf('undisturbed'));
});

it('individuals that were given up are retried once that is confirmed; the page shows the new journal alone', async () => {
  const { lines, opened } = await readRun(test.runs, 'undisturbed');
  const ill = await createRun(test.runs, { ...opened, runId: 'ill' });
  await cp(join(test.runs, 'undisturbed', 'artifacts'), join(test.runs, 'ill', 'artifacts'), { recursive: true });
  const alpha = lines.find(({ fact }) => fact.type === 'alpha');
  const victim = lines.find(({ fact }) => fact.type === 'evaluated');
  if (!alpha || victim?.fact.type !== 'evaluated') throw new Error('not what a run begins with');
  await ill.journal.append(alpha.fact);
  await ill.journal.append({ type: 'failed', mask: victim.fact.mask, repeat: 0 }, { reason: 'its trainers died' });
  await ill.close();

  const page = await test.page();
  await page.goto(`${test.url}/runs/ill`);
  await page.locator('.cards', { hasText: '1 given up' }).waitFor();
  await press(page, 'Retry failed …');
  const dialog = page.getByRole('dialog', { name: 'Retry 1 given up individual?' });
  await dialog.waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  expect((await readRun(test.runs, 'ill')).lines).toHaveLength(3);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('run ill goes on from where').waitFor();
  await page.locator('.state.finished').waitFor();
  expect(await factsOf('ill')).toEqual(await factsOf('undisturbed'));
  const evaluated = (await factsOf('ill')).filter(({ type }) => type === 'evaluated').length;
  const retrained = page.locator('.cards > div', { has: page.locator('dt:text-is("Individuals retrained")') });
  await expect.poll(() => retrained.locator('dd').textContent()).toMatch(new RegExp(`^${evaluated}at most`));
  expect(await page.getByRole('button', { name: 'Retry failed …' }).count()).toBe(0);
});

it('the priority of a run is changed, and one that is none is not sent', async () => {
  const run = start('urgent', 'endless');
  const page = await open('urgent');
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('.state.paused').waitFor();
  const field = page.getByLabel('Priority');
  await field.fill('200');
  await field.press('Enter');
  expect(await page.locator('input:invalid').count()).toBe(1);
  await field.fill('-7');
  await field.press('Enter');
  await page.getByRole('status').getByText('run urgent has priority -7').waitFor();
  expect(await (await fetch(`${test.url}/api/runs/urgent`)).json()).toMatchObject({ priority: -7 });
  await press(page, 'Stop …');
  await page.getByRole('button', { name: 'Stop the run' }).click();
  expect((await run.exited).code).toBe(130);
});

it('a worker is drained once that is confirmed: it ends, the other does the rest', async () => {
  const run = test.workplace.start(['run', 'tiny.yaml', '--run-id', 'drained', '--workers', '2', '--broker', 'auto'], {
    NESGD_PULSE_MS: '300',
  });
  const goOn = await holdTrainer(() => workerPid('worker-2'));
  const page = await test.page();
  await page.goto(`${test.url}/workers`);
  const row = page.locator('tbody tr', { hasText: 'worker-2' });
  await row.waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await row.getByRole('button', { name: 'Drain worker-2 …' }).press('Enter');
  await page.getByRole('dialog', { name: 'Drain worker-2?' }).waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('worker-2 finishes its job').waitFor();
  await expect.poll(() => row.textContent()).toContain('draining');
  goOn();
  await until('it has ended', async () => run.stderr.includes('worker-2 was drained and has ended'));
  expect(await run.exited, run.stderr).toEqual({ code: 0, signal: null });
  await page.getByText('No worker is there').waitFor();
  expect(await factsOf('drained')).toEqual(await factsOf('undisturbed'));
});

it('a trainer of a run without a broker has no button, but the reason why', async () => {
  const run = start('alone', 'endless');
  const page = await test.page();
  await page.goto(`${test.url}/workers`);
  await page.locator('tbody tr', { hasText: 'works for its run alone: pause or stop that' }).first().waitFor();
  expect(await page.getByRole('button', { name: /Drain/ }).count()).toBe(0);
  run.child.kill('SIGINT');
  await run.exited;
});

it('where the folder of runs cannot be written in, pages say so instead of showing buttons', async () => {
  await chmod(test.runs, 0o555);
  const readOnly = await DashboardTest.create();
  try {
    await readOnly.serveUnprivileged(test.runs);
    for (const path of ['/runs/undisturbed', '/workers', '/new']) {
      const page = await readOnly.page();
      await page.goto(readOnly.url + path);
      await page.getByText('the folder of runs cannot be written in').waitFor();
      expect(await page.getByRole('button', { name: /Pause|Stop|Resume|Retry|Drain/, disabled: false }).count()).toBe(
        0,
      );
      expect(await seriousViolations(page)).toEqual([]);
    }
    const headers = { 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ experiment: stringify(tinyExperiment()) }) };
    expect((await fetch(`${readOnly.url}/api/runs`, init)).status).toBe(503);
  } finally {
    await chmod(test.runs, 0o755);
    await readOnly.destroy();
  }
});

it('a run is stopped only when that is confirmed', async () => {
  const run = start('stopped', 'endless');
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
  const run = start('refusing', 'endless');
  const page = await open('refusing');
  const answers: (() => Promise<void>)[] = [];
  const refusal = { code: 'RUN_STATE', message: 'run refusing has ended in the meantime' };
  await page.route('**/pause', (route) => {
    answers.push(answers.length === 0 ? () => route.fulfill({ status: 409, json: refusal }) : () => route.abort());
  });
  for (const [i, said] of [refusal.message, 'the coordinator does not answer'].entries()) {
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('status').getByText('told to pause').waitFor();
    expect(await page.getByRole('button', { name: 'Pause', exact: true }).isDisabled()).toBe(true);
    await expect.poll(() => answers.length).toBe(i + 1);
    await answers[i]?.();
    await page.getByRole('alert').getByText(said).waitFor();
    expect(await page.getByRole('button', { name: 'Pause', exact: true }).isEnabled()).toBe(true);
  }
  expect(await seriousViolations(page)).toEqual([]);
  run.child.kill('SIGINT');
  expect((await run.exited).code).toBe(130);
});
