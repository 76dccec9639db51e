import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { LIVE_STATUS_FILE, type LiveStatus } from '@nesgd/core/view';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from './accessibility.js';
import { DashboardTest } from './dashboard-support.js';
import { recordRun } from './recorded-run.js';

/** Large runs, hostile names, no mouse. */
const HOSTILE = [
  '<img src=x onerror="document.title=`taken`">',
  '</script><script>document.title="taken"</script>',
  '"><svg onload=alert(1)>',
  '{{constructor.constructor("document.title=1")()}}',
  '\u202Eright to left\u202C \u0000 \uD800',
  'x'.repeat(3_000),
];

let test: DashboardTest;

beforeAll(async () => {
  test = await DashboardTest.create();
  await recordRun(test.runs, {
    runId: 'large',
    blocks: Array.from({ length: 60 }, (_, i) => `stage ${1 + Math.floor(i / 20)} block ${i}`),
    populationSize: 40,
    generations: 50,
    epochs: 8,
  });
  await recordRun(test.runs, { runId: 'hostile', blocks: HOSTILE, workers: HOSTILE });
  await writeFile(join(test.runs, 'hostile', LIVE_STATUS_FILE), JSON.stringify(hostileStatus()));
  await test.serve();
});
afterAll(() => test?.destroy());
afterEach(() => expect(test.complaints.splice(0)).toEqual([]));

function hostileStatus(): LiveStatus {
  const at = '2026-01-31T12:00:00.000Z';
  return {
    version: 1,
    at,
    circumstances: {
      broker: HOSTILE[0] ?? '',
      engine: HOSTILE[1] ?? '',
      threads: 1,
      workers: 2,
      trainImages: 1,
      validationImages: 1,
      testImages: 1,
    },
    phase: null,
    jobs: { total: 0, done: 0, active: 0, waiting: 0, answered: 0, retried: 0 },
    remainingMs: null,
    active: [],
    workers: HOSTILE.map((name) => ({
      name,
      job: name,
      jobsDone: 0,
      failures: 0,
      imagesPerSecond: null,
      memoryBytes: null,
      lastHeardAt: at,
    })),
    log: HOSTILE.map((text) => ({ at, kind: 'notice', text })),
  };
}

describe('2,000 individuals, 60 blocks, 50 generations', () => {
  it('masks: all rows can be reached, few elements stand for them', async () => {
    const page = await test.page();
    await page.goto(`${test.url}/runs/large/masks`);
    const slider = page.getByRole('slider');
    const rows = Number(await slider.getAttribute('aria-valuemax'));
    expect(rows).toBeGreaterThan(2_000);
    await slider.focus();
    await page.keyboard.press('End');
    await expect.poll(() => slider.getAttribute('aria-valuenow')).toBe(String(rows));
    await expect.poll(() => page.evaluate('document.querySelector(".viewport").scrollTop')).toBeGreaterThan(20_000);
    expect(await page.evaluate('document.querySelectorAll("*").length')).toBeLessThan(1_000);
    expect(
      await page.evaluate('Math.max(...[...document.querySelectorAll("canvas")].map((c) => c.height))'),
    ).toBeLessThan(2_000);
  });

  it.each(['convergence', 'fitness', 'clusters', 'lineage', 'blocks'])('%s shows it', async (view) => {
    const page = await test.page();
    await page.goto(`${test.url}/runs/large/${view}`);
    await page.getByRole('heading', { level: 2 }).first().waitFor();
  });

  it('while the coordinator still reads the journal, the page says how far it is', async () => {
    const page = await test.page();
    const answers: (() => Promise<void>)[] = [];
    await page.route(/\/api\/runs\/large\?/, async (route) => {
      if (answers.length > 0) answers.push(() => route.continue());
      else {
        answers.push(async () => {});
        const { lines, ...rest } = await (await route.fetch()).json();
        await route.fulfill({ json: { ...rest, reading: { bytesRead: 1, bytes: 4 }, lines: lines.slice(0, 100) } });
      }
    });
    await page.goto(`${test.url}/runs/large/masks`);
    await page.getByRole('status').getByText('Reading the run … 25 %').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await answers[1]?.();
    const slider = page.getByRole('slider');
    await expect.poll(async () => Number(await slider.getAttribute('aria-valuemax'))).toBeGreaterThan(2_000);
    expect(await page.getByText('Reading').count()).toBe(0);
  });

  it('a curve under the pointer is named', async () => {
    const page = await test.page();
    await page.goto(`${test.url}/runs/large/convergence`);
    const slider = page.getByRole('slider');
    await expect.poll(async () => Number(await slider.getAttribute('aria-valuemax'))).toBeGreaterThan(2_000);
    const box = await slider.boundingBox();
    if (!box) throw new Error('no plot');
    await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.25);
    await expect.poll(() => page.locator('.readout').textContent()).toMatch(/individual \d+, mask [01]{60}: 0\.\d{4}/);
  });

  it('the scripts of the page are under 300 kB, compressed', async () => {
    const html = await (await fetch(test.url)).text();
    const scripts = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path);
    expect(scripts.length).toBeGreaterThan(0);
    const sizes = scripts.map(async (path) => gzipSync(await (await fetch(test.url + path)).text()).length);
    expect((await Promise.all(sizes)).reduce((sum, size) => sum + size)).toBeLessThan(300_000);
  });
});

describe('hostile names of blocks and workers, and notices', () => {
  it.each([
    ['overview', 1],
    ['masks', 0],
    ['lineage', 1],
    ['blocks', 1],
    ['work', 1],
    ['settings', 0],
    ['log', 1],
  ])('%s shows them as text and does nothing else', async (view, wanted) => {
    const page = await test.page();
    await page.goto(`${test.url}/runs/hostile/${view}`);
    await page.getByRole('heading', { level: 2 }).first().waitFor();
    expect(await page.getByText(HOSTILE[0] ?? '', { exact: true }).count()).toBeGreaterThanOrEqual(wanted);
    expect(await page.title()).toMatch(/^hostile: /);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth')).toBe(
      false,
    );
  });

  it.each(['/runs/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E', '/runs/..%2F..%2Fetc', '/compare?runs=%3Cb%3E,..%2Fx'])(
    '%s is refused in words',
    async (path) => {
      const page = await test.page();
      await page.goto(test.url + path);
      await page.getByRole('alert').first().waitFor();
      expect(await page.locator('main img, main b').count()).toBe(0);
    },
  );
});

describe('without a mouse', () => {
  /** Tabs on until the focused element has that text or label. */
  async function tabTo(page: Page, name: string): Promise<void> {
    const focused = `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`;
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate<string>(focused)).startsWith(name)) return;
    }
    throw new Error(`${name} cannot be reached by Tab`);
  }

  it('from the list through every view of a run, along the masks to a lineage, and back', async () => {
    const page = await test.page();
    await page.goto(test.url);
    await page.getByRole('link', { name: 'large' }).waitFor();
    await tabTo(page, 'large');
    await page.keyboard.press('Enter');
    for (const view of [
      'Convergence',
      'Fitness',
      'Clusters',
      'Lineage',
      'Blocks',
      'Workers',
      'Settings',
      'Log',
      'Masks',
    ]) {
      await tabTo(page, view);
      await page.keyboard.press('Enter');
      await page.locator('[aria-current="page"]', { hasText: view }).waitFor();
    }
    await tabTo(page, 'Masks, fittest first');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('[aria-current="page"]', { hasText: 'Lineage' }).waitFor();
    await page
      .getByText(/^Individual \d+/)
      .first()
      .waitFor();
    await page.goBack();
    await page.locator('[aria-current="page"]', { hasText: 'Masks' }).waitFor();
  });

  it('two runs are chosen and compared', async () => {
    const page = await test.page();
    await page.goto(test.url);
    await page.getByRole('link', { name: 'large' }).waitFor();
    for (const run of ['hostile', 'large']) {
      await page.evaluate('document.activeElement?.blur()');
      await tabTo(page, `Compare ${run}`);
      await page.keyboard.press('Space');
    }
    await page.evaluate('document.activeElement?.blur()');
    await tabTo(page, 'Compare 2 runs');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Comparison' }).waitFor();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
  });

  it('colours are the system’s, also when it changes its mind', async () => {
    const page = await test.page({ colorScheme: 'dark' });
    await page.goto(test.url);
    const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    await expect.poll(background).toBe('rgb(20, 24, 29)');
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(background).toBe('rgb(255, 255, 255)');
  });

  it('the first Tab offers to skip to the content, and colours chosen stay chosen', async () => {
    const page = await test.page();
    await page.goto(test.url);
    await page.getByRole('link', { name: 'large' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent.trim()')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
    await page.getByLabel('Colours').selectOption('dark');
    await page.reload();
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(20, 24, 29)');
  });
});
