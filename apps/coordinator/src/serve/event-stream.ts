import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { RunFollower } from './run-follower.js';

/** Keeps proxies from taking a quiet run for a dead connection, and notices peers that are gone. */
const HEARTBEAT_MS = 15_000;
/** A browser comes back after this long when the coordinator was away. */
const RETRY_MS = 500;
const RESET = { event: 'reset', data: '{}' };

/**
 * Tells one listener what is new about a run, from the line behind `after` on. Nothing is queued: whenever the listener
 * has taken the last event, the follower is asked what there is now, so a slow one costs no memory and loses nothing.
 * @param journal that which the listener's lines are of; where the run has another by now, it is told to start over.
 */
export function eventStream(c: Context, follower: RunFollower, after: number, journal?: string): Response {
  return streamSSE(c, async (stream) => {
    const bell = new Bell();
    const unsubscribe = follower.subscribe(() => bell.ring());
    stream.onAbort(() => bell.ring());
    try {
      if (journal !== undefined && journal !== follower.journal) await stream.writeSSE(RESET);
      else await tell(stream, follower, after, bell);
    } finally {
      unsubscribe();
    }
  });
}

async function tell(stream: SSEStreamingApi, follower: RunFollower, after: number, bell: Bell): Promise<void> {
  const { journals } = follower;
  let next = after + 1;
  let pulses = -1;
  await stream.write(`retry: ${RETRY_MS}\n\n`);
  while (!stream.aborted) {
    if (follower.problem) {
      const { code, message } = follower.problem;
      return stream.writeSSE({ event: 'problem', data: JSON.stringify({ code, message }) });
    }
    if (follower.journals !== journals || next > follower.lines.length) return stream.writeSSE(RESET);
    if (next < follower.lines.length) {
      await stream.writeSSE({ event: 'line', id: String(next), data: follower.lines.at(next) });
      next += 1;
    } else if (pulses !== follower.pulses) {
      pulses = follower.pulses;
      await stream.writeSSE({ event: 'pulse', data: JSON.stringify(follower.pulse) });
    } else if (!(await bell.heard(HEARTBEAT_MS))) {
      await stream.write(': still here\n\n');
    }
  }
}

/** Wakes the one who waits; rung while nobody does, it is heard at once. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** @returns false when it was not rung for that long. */
  async heard(timeoutMs: number): Promise<boolean> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const rung = this.#rung;
    this.#rung = false;
    this.#wake = undefined;
    return rung;
  }
}
