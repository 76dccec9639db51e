import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleDigest } from '../../apps/coordinator/src/report/example-journal.fixture.js';
import { reportPage } from '../../apps/coordinator/src/report/page.js';
import { drawFigure } from '../../apps/coordinator/src/report/plots/draw.js';
import { figuresOf } from '../../apps/coordinator/src/report/plots/index.js';
import { PRINT } from '../../apps/coordinator/src/report/plots/palette.js';
import { openBrowser } from './support.js';

/** A report opened as people open it: a file, in a browser, without network. */
let browser: Browser;
let folder: string;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-report-'));
  const path = join(folder, 'report.html');
  const dataset = { name: 'custom', path: '"><img src=http://127.0.0.1:1/x onerror=alert(1)>' };
  const digest = await exampleDigest({ dataset });
  await writeFile(path, reportPage([digest]));
  url = pathToFileURL(path).href;
  const figures = figuresOf(digest).map((figure) => [`${figure.name}.svg`, drawFigure(figure, PRINT)] as const);
  for (const [name, svg] of figures) await writeFile(join(folder, name), svg);
  const pictures = figures.map(([name]) => `<img src="${name}" alt="">`).join('');
  await writeFile(join(folder, 'pictures.html'), `<!doctype html><title>pictures</title>${pictures}`);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

/** Opens the report and takes note of all that it asks for and complains of. */
async function open(options: Parameters<Browser['newPage']>[0] = {}) {
  const page = await browser.newPage(options);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  await page.goto(url);
  return { page, requests, complaints };
}

/** The colour of the page behind its text, and of what stands for a kept block. */
async function colours(page: Page): Promise<{ paper: string; ink: string; kept: string }> {
  const of = (selector: string, property: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element, name) => {
        const scope = globalThis as unknown as {
          getComputedStyle(of: unknown): { getPropertyValue(name: string): string };
        };
        return scope.getComputedStyle(element).getPropertyValue(name);
      }, property);
  return {
    paper: await of('body', 'background-color'),
    ink: await of('figure svg text', 'fill'),
    kept: await of('rect[fill="var(--kept)"]', 'fill'),
  };
}

describe('a report in Chromium', () => {
  it('asks for nothing but itself and complains of nothing', async () => {
    const { page, requests, complaints } = await open();
    expect(requests.filter((request) => request !== 'data:,')).toEqual([url]);
    expect(complaints).toEqual([]);
    for (const figure of await page.locator('figure svg').all()) {
      const box = await figure.boundingBox();
      expect(box?.width).toBeGreaterThan(300);
      expect(box?.height).toBeGreaterThan(100);
    }
    await page.close();
  });

  it('follows the system’s choice of light and dark, and prints in black on white', async () => {
    const { page } = await open({ colorScheme: 'light' });
    const light = await colours(page);
    expect(light).toEqual({ paper: 'rgb(255, 255, 255)', ink: 'rgb(51, 51, 51)', kept: 'rgb(0, 114, 178)' });
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await colours(page);
    expect(dark).toEqual({ paper: 'rgb(22, 24, 27)', ink: 'rgb(228, 228, 228)', kept: 'rgb(74, 159, 220)' });
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' });
    expect(await colours(page)).toEqual(light);
    expect(await page.locator('nav').isVisible()).toBe(false);
    await page.close();
  });

  it('fits a phone: wide tables scroll by themselves, the page does not', async () => {
    const { page } = await open({ viewport: { width: 360, height: 700 } });
    const width = await page.locator('html').evaluate((html: { scrollWidth: number }) => html.scrollWidth);
    expect(width).toBe(360);
    await page.close();
  });

  it('its figures are pictures as files, too', async () => {
    const { page } = await open();
    await page.goto(new URL('pictures.html', url).href);
    const pictures = await page.locator('img').all();
    expect(pictures).toHaveLength(5);
    for (const picture of pictures) {
      const [width, height] = await picture.evaluate((image: { naturalWidth: number; naturalHeight: number }) => [
        image.naturalWidth,
        image.naturalHeight,
      ]);
      expect(width).toBe(900);
      expect(height).toBeGreaterThan(100);
    }
    await page.close();
  });

  it('its figures have roles and names for those who do not see them', async () => {
    const { page } = await open();
    const names = [
      'Accuracy on validation',
      'The population',
      'Masks that each generation ends with',
      'Share of the masks',
      'Parents and offspring',
    ];
    for (const name of names) expect(await page.getByRole('img', { name }).count(), name).toBe(1);
    expect(await page.getByRole('region', { name: 'Generations' }).getByRole('columnheader').count()).toBe(8);
    await page.close();
  });
});
