import type { Logger } from 'pino';

const FIRST_REMINDER_MS = 30_000;
const LONGEST_BETWEEN_MS = 3_600_000;

/**
 * Says in the log that the broker cannot be reached: once, then as rarely as twice the time before, an hour at most; and
 * when it is back. The connections try again several times a second, which nobody wants to read.
 */
export class BrokerOutage {
  #outage: { readonly since: number; remindAt: number } | undefined;

  constructor(
    private readonly log: Pick<Logger, 'warn' | 'info'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  failed(error: Error): void {
    const now = this.now();
    // Node leaves the message of several failed addresses empty.
    const reason = error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
    if (!this.#outage) {
      this.#outage = { since: now, remindAt: now + FIRST_REMINDER_MS };
      this.log.warn({ error: reason }, 'the broker cannot be reached; trying until it can');
    } else if (now >= this.#outage.remindAt) {
      const passed = now - this.#outage.since;
      this.#outage.remindAt = now + Math.min(passed, LONGEST_BETWEEN_MS);
      this.log.warn({ error: reason, seconds: Math.round(passed / 1000) }, 'the broker still cannot be reached');
    }
  }

  over(): void {
    if (!this.#outage) return;
    const seconds = Math.round((this.now() - this.#outage.since) / 1000);
    this.#outage = undefined;
    this.log.info({ seconds }, 'the broker can be reached again');
  }
}

const CONNECTION_FAULTS = /^(E(CONNREFUSED|CONNRESET|NOTFOUND|TIMEDOUT|PIPE|HOSTUNREACH|NETUNREACH|AI_AGAIN))$/;

/** Whether an error of the queue says no more than that its connection is gone. */
export function isConnectionFault(error: Error): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return CONNECTION_FAULTS.test(code) || /^(Connection is closed|.*ECONNRE)/.test(error.message);
}
