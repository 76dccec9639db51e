import { createHash, randomBytes } from 'node:crypto';

/** A page left open keeps its session alive; one that nobody used for this long is over. */
const LONGEST_IDLE_MS = 12 * 3_600_000;
const MOST_SESSIONS = 1_000;

/** Who has logged in. Kept in memory: a restart logs everybody out. */
export class Sessions {
  /** By the hash of the token, so that neither a comparison's time nor a memory dump gives one away. */
  readonly #expiry = new Map<string, number>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns the token that proves the session. */
  open(): string {
    const token = randomBytes(32).toString('base64url');
    this.#expiry.set(hash(token), this.now() + LONGEST_IDLE_MS);
    const [oldest] = this.#expiry.keys();
    if (this.#expiry.size > MOST_SESSIONS && oldest !== undefined) this.#expiry.delete(oldest);
    return token;
  }

  /** Whether that is a session; it then lasts on. */
  use(token: string | undefined): boolean {
    if (!token) return false;
    const key = hash(token);
    const expiry = this.#expiry.get(key);
    if (expiry === undefined) return false;
    this.#expiry.delete(key);
    if (expiry < this.now()) return false;
    this.#expiry.set(key, this.now() + LONGEST_IDLE_MS);
    return true;
  }

  end(token: string | undefined): void {
    if (token) this.#expiry.delete(hash(token));
  }
}

function hash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
