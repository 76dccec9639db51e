import type { RunSnapshot } from '@nesgd/core/view';
import { until, type Workplace } from './cli.js';

/** `nesgd serve` of a workplace, as programs speak to it. It ends with the workplace. */
export class Served {
  private constructor(readonly url: string) {}

  static async start(workplace: Workplace): Promise<Served> {
    const server = workplace.start(['serve', '--port', '0', '--json'], { NESGD_SECRET: '' });
    const text = await until('it serves', async () => server.stdout.trim() || undefined);
    return new Served((JSON.parse(text) as { url: string }).url);
  }

  async snapshot(runId: string): Promise<RunSnapshot> {
    return (await fetch(`${this.url}/api/runs/${runId}`)).json() as Promise<RunSnapshot>;
  }

  /** @param body a text is sent as it is. */
  async post(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}/api${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, body: (isJson ? JSON.parse(text) : {}) as Record<string, unknown> };
  }
}
