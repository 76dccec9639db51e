import type { RunPulse, ViewLine } from '@nesgd/core/view';
import { signal } from '@preact/signals';
import { RunModel } from '../model/run-model.js';
import { eventsUrl, RequestError } from './client.js';
import { OtherJournal, readRun } from './read-run.js';

const RETRY_MS = 1_000;

export type ConnectionState =
  /** `share` of its journal that the coordinator has read, once that takes a while. */
  | { readonly kind: 'loading'; readonly share?: number }
  | { readonly kind: 'live' }
  /** What is shown was true; the coordinator is asked again and again. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused'; readonly error: RequestError };

/**
 * One run, kept up to date: read as it stands, then line by line. Whatever breaks in between, it goes on from the last
 * line that it has, so none is lost and none comes twice. A tab that nobody sees holds no connection.
 */
export class RunConnection {
  readonly state = signal<ConnectionState>({ kind: 'loading' });
  readonly pulse = signal<RunPulse>({ state: 'stopped', paused: false, priority: 0, holder: null, live: null });
  /** Counts the changes of `model`, one for each frame that shows any. */
  readonly changes = signal(0);
  model = new RunModel();

  #events: EventSource | undefined;
  #retry: number | undefined;
  #frame: number | undefined;
  readonly #closing = new AbortController();

  constructor(readonly runId: string) {
    document.addEventListener('visibilitychange', this.#onVisibility);
    void this.#load();
  }

  close(): void {
    this.#closing.abort();
    document.removeEventListener('visibilitychange', this.#onVisibility);
    clearTimeout(this.#retry);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#events?.close();
  }

  readonly #onVisibility = () => {
    if (document.hidden) {
      clearTimeout(this.#retry);
      this.#events?.close();
      this.#events = undefined;
    } else if (!this.#events) void this.#load();
  };

  /** Catches up, then listens. */
  async #load(): Promise<void> {
    clearTimeout(this.#retry);
    const { model } = this;
    try {
      const snapshot = await readRun(
        this.runId,
        model,
        (line) => {
          if (this.model === model && !this.#closing.signal.aborted) this.#take(line);
        },
        this.#closing.signal,
        (share) => {
          if (this.state.value.kind === 'loading') this.state.value = { kind: 'loading', share };
        },
      );
      if (this.#closing.signal.aborted || this.model !== model) return;
      this.#setPulse(snapshot);
      this.state.value = { kind: 'live' };
      this.#listen();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (error instanceof OtherJournal && this.model === model) this.#startOver();
      if (!(error instanceof RequestError)) return;
      if (error.code === 'UNREACHABLE') this.#lose();
      else this.state.value = { kind: 'refused', error };
    }
  }

  #listen(): void {
    if (document.hidden) return;
    this.#events?.close();
    const events = new EventSource(eventsUrl(this.runId, this.model.length - 1, this.model.journal ?? ''));
    this.#events = events;
    events.addEventListener('line', (event) => this.#take(JSON.parse(event.data) as ViewLine));
    events.addEventListener('pulse', (event) => this.#setPulse(JSON.parse(event.data) as RunPulse));
    events.addEventListener('reset', () => this.#startOver());
    events.addEventListener('problem', () => {
      events.close();
      void this.#load(); // It will be refused, with the reason.
    });
    events.addEventListener('error', () => this.#lose());
  }

  /** The browser would come back by itself from some failures, but not from all: better always the same way. */
  #lose(): void {
    this.#events?.close();
    this.#events = undefined;
    this.state.value = { kind: 'lost' };
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#load(), RETRY_MS);
  }

  #startOver(): void {
    this.#events?.close();
    this.model = new RunModel();
    this.#changed();
    void this.#load();
  }

  #setPulse({ state, paused, priority, holder, live }: RunPulse): void {
    this.pulse.value = { state, paused, priority, holder, live };
  }

  #take(line: ViewLine): void {
    if (line.seq < this.model.length) return;
    if (line.seq > this.model.length) {
      this.#startOver();
      return;
    }
    this.model.add(line);
    this.#changed();
  }

  #changed(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.changes.value += 1;
    });
  }
}
