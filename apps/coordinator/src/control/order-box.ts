import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Answer, answerSchema, type Order, orderSchema } from './orders.js';

/**
 * How orders reach the process that works on a run, and its answers whoever gave them: files in the run's folder, each
 * renamed into its place so that it is found whole. Whoever can read a run's journal can reach its coordinator this way,
 * from another container too, which neither a signal nor a socket can promise (decision 0180).
 */

const FOLDER = 'orders';
const ORDER = /^([0-9a-f]{16})\.order$/;
const LOOK_EVERY_MS = 200;
const ANSWER_EVERY_MS = 50;

/** Which process is meant: an order does not reach a later one that happens to work on the same run. */
export interface Addressee {
  readonly pid: number;
  readonly started: string;
}

const envelopeSchema = z.strictObject({
  to: z.strictObject({ pid: z.int(), started: z.string() }),
  order: orderSchema,
});

/** Writes an order. @returns asks for the answer, and takes it; withdraws the order if it still lies there. */
export async function postOrder(runFolder: string, to: Addressee, order: Order) {
  const folder = join(runFolder, FOLDER);
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomBytes(8).toString('hex'));
  const { pid, started } = to;
  await putWhole(`${path}.order`, { to: { pid, started }, order });
  return {
    async answer(): Promise<Answer | undefined> {
      const text = await readFile(`${path}.answer`, 'utf8').catch(() => undefined);
      if (text === undefined) return undefined;
      await rm(`${path}.answer`, { force: true });
      return answerSchema.parse(JSON.parse(text));
    },
    async withdraw(): Promise<void> {
      await rm(`${path}.order`, { force: true });
    },
    askAgainAfterMs: ANSWER_EVERY_MS,
  };
}

/**
 * The coordinator's side: looks for orders several times a second, follows them one after another. The folder is its own,
 * there as long as it is: whoever else removed it would take it from others that write there.
 */
export class OrderBox {
  readonly #folder: string;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  /** @param follow must not throw. */
  constructor(
    runFolder: string,
    private readonly me: Addressee,
    private readonly follow: (order: Order) => Promise<Answer>,
  ) {
    this.#folder = join(runFolder, FOLDER);
    mkdirSync(this.#folder, { recursive: true });
    this.#next();
  }

  /** Resolves when the order that is being followed has been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await rmdir(this.#folder).catch(() => {}); // Not empty: an order came too late to be followed.
  }

  #next(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch(() => {}) // A folder that cannot be read just now: the next look may.
        .then(() => this.#next());
    }, LOOK_EVERY_MS).unref();
  }

  async #look(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => [] as string[]);
    for (const name of names.sort()) {
      const [, id] = ORDER.exec(name) ?? [];
      if (id === undefined) continue;
      const path = join(this.#folder, id);
      const text = await readFile(`${path}.order`, 'utf8');
      await rm(`${path}.order`);
      const envelope = envelopeSchema.safeParse(safeJson(text));
      const isForMe =
        !envelope.success || (envelope.data.to.pid === this.me.pid && envelope.data.to.started === this.me.started);
      if (!isForMe) continue;
      const answer: Answer = envelope.success
        ? await this.follow(envelope.data.order)
        : { done: false, code: 'ORDER', message: 'the coordinator is of a version that does not know this order' };
      await putWhole(`${path}.answer`, answer);
    }
  }
}

async function putWhole(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.tmp`, JSON.stringify(value));
  await rename(`${path}.tmp`, path);
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
