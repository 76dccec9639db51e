import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Cli, Workplace } from '../support/cli.js';
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
    const cli = this.workplace.start(['serve', '--port', String(port), '--json', ...args], {
      NESGD_SECRET: '',
      ...env,
    });
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
    await rm(this.workplace.folder, { recursive: true, force: true });
  }
}
