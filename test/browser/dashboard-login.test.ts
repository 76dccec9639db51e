import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seriousViolations } from './accessibility.js';
import { DashboardTest } from './dashboard-support.js';
import { recordRun } from './recorded-run.js';

const SECRET = 'a-secret-of-enough-length';
let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  await recordRun(test.runs, { runId: 'recorded' });
  await test.serve({ NESGD_SECRET: SECRET }, ['--host', '0.0.0.0']);
});
afterAll(() => test?.destroy());

async function logIn(page: Page, secret = SECRET): Promise<void> {
  await page.goto(test.url);
  await page.getByLabel('Secret').fill(secret);
  await page.getByRole('button', { name: 'Log in' }).click();
}

it('without login no page, file, API or event is given, whatever its path', async () => {
  const page = await test.page();
  await page.goto(`${test.url}/runs/recorded`);
  expect(new URL(page.url()).pathname).toBe('/login');
  expect(await seriousViolations(page)).toEqual([]);
  for (const path of [
    '/api/runs',
    '/api/runs/recorded',
    '/api/runs/recorded/events',
    '/api/openapi.json',
    '/nothing',
    '/metrics',
    '/index.html',
  ]) {
    const response = await fetch(test.url + path, { redirect: 'manual' });
    expect([path, response.status, await response.json()]).toEqual([
      path,
      401,
      expect.objectContaining({ code: 'LOGIN' }),
    ]);
  }
});

it('a wrong secret is told so; the right one opens the page, until it logs out', async () => {
  const page = await test.page();
  await logIn(page, 'another-secret-of-enough-length');
  await page.getByRole('alert').filter({ hasText: 'not the secret' }).waitFor();
  await logIn(page);
  await page.getByRole('link', { name: 'recorded' }).waitFor();
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'nesgd_session', httpOnly: true, sameSite: 'Strict' });
  expect(cookie?.value).not.toContain(SECRET);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Secret').waitFor();
  const again = await fetch(`${test.url}/api/runs`, { headers: { Cookie: `nesgd_session=${cookie?.value}` } });
  expect(again.status).toBe(401);
});

it('programs send the secret as a bearer token', async () => {
  const ask = (secret: string) => fetch(`${test.url}/api/runs`, { headers: { Authorization: `Bearer ${secret}` } });
  expect((await ask(SECRET)).status).toBe(200);
  expect((await ask(SECRET.slice(1))).status).toBe(401);
});

it('a form of another site logs nobody in', async () => {
  const response = await fetch(`${test.url}/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'http://elsewhere.example' },
    body: new URLSearchParams({ secret: SECRET }),
    redirect: 'manual',
  });
  expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
});

it('after ten wrong secrets in a minute even the right one has to wait', async () => {
  const attempt = (secret: string) =>
    fetch(`${test.url}/login`, {
      method: 'POST',
      headers: { Origin: test.url },
      body: new URLSearchParams({ secret }),
      redirect: 'manual',
    });
  const statuses: number[] = [];
  for (let i = 0; i < 11; i++) statuses.push((await attempt('wrong')).status);
  expect(statuses.at(-1)).toBe(429);
  const right = await attempt(SECRET);
  expect(right.status).toBe(429);
  expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
});
