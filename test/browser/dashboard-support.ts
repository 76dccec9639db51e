import { once } from 'node:events';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Cli, MAIN, Workplace } from '../support/cli.js';
import { openBrowser } from './support.js';

/** A workplace whose runs `nesgd serve` shows, and a browser. */
export class DashboardTest {
  #served: Cli | undefined;
  url = '';
  /** What pages complained about: uncaught errors, failed requests of the page's own, refusals by its policy. */
  readonly complaints: string[] = [];

  private constructor(
    readonly workplace: Workplace,
    readonly browser: Browser,
  ) {}

  static async create(): Promise<DashboardTest> {
    return new DashboardTest(await Workplace.create(), await openBrowser());
  }

  get runs(): string {
    return this.workplace.runs;
  }

  /** @param port the same again after a restart. */
  async serve(env: NodeJS.ProcessEnv = {}, args: readonly string[] = [], port = 0): Promise<void> {
    const all = { NESGD_SECRET: '', ...env };
    await this.#waitFor(this.workplace.start(['serve', '--port', String(port), '--json', ...args], all));
  }

  /** As one to whom file permissions apply: they do not to root, unless it gives that up. */
  async serveUnprivileged(runs: string): Promise<void> {
    const setpriv = process.getuid?.() === 0 ? 'setpriv --bounding-set=-dac_override' : '';
    const command = `env NESGD_SECRET= ${setpriv} '${process.execPath}' '${MAIN}' serve --port 0 --json --runs '${runs}'`;
    await this.#waitFor(this.workplace.paste(command));
  }

  async #waitFor(cli: Cli): Promise<void> {
    this.#served = cli;
    while (!cli.stdout.includes('\n')) {
      if (cli.child.exitCode !== null) throw new Error(`nesgd serve ended:\n${cli.stderr}`);
      if (!cli.child.stdout) throw new Error('no standard output');
      await Promise.race([once(cli.child.stdout, 'data'), cli.exited]);
    }
    this.url = (JSON.parse(cli.stdout) as { url: string }).url;
  }

  async stopServing(): Promise<number | null | undefined> {
    const served = this.#served;
    if (!served) return undefined;
    served.child.kill('SIGINT');
    return (await served.exited).code;
  }

  async page(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context: BrowserContext = await this.browser.newContext({ reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(90_000); // Real runs, on machines that are busy.
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(String(error.stack ?? error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/net::ERR_|status of 4|status of 5/.test(message.text()))
        this.complaints.push(message.text());
    });
    return page;
  }

  async destroy(): Promise<void> {
    await this.browser.close();
    await this.stopServing();
    await this.workplace.destroy();
  }
}

/** Tabs to the button and presses it, as one without a mouse. */
export async function press(page: Page, name: string): Promise<void> {
  const focused = `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`;
  await page.getByRole('button', { name, exact: true, disabled: false }).waitFor();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(focused)) === name) return page.keyboard.press('Enter');
  }
  throw new Error(`${name} cannot be reached by Tab`);
}
