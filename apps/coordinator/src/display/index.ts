import type { RunEvent, Watch } from '../run-events.js';
import { announce } from './announcements.js';
import { printLine } from './line.js';
import { liveLines } from './live-lines.js';
import { LiveRegion, type Terminal } from './live-region.js';
import { advance, initialState } from './view-state.js';

export type { Terminal } from './live-region.js';

/** `tty`: a live view; `plain`: a line for each event that matters; `silent`: nothing. */
export type DisplayMode = 'tty' | 'plain' | 'silent';

export interface DisplayOptions {
  readonly stream: Terminal;
  readonly mode: DisplayMode;
  /** A clock in milliseconds that never goes back. */
  readonly now?: () => number;
}

export interface Display {
  readonly watch: Watch;
  /** Draws the last state and gives the terminal back; nothing is written afterwards. May be called again. */
  close(): void;
}

/** The mode for a stream: programs (`--json`) get silence, terminals that can move a cursor the live view. */
export function chooseDisplayMode(
  stream: { readonly isTTY?: boolean },
  json: boolean,
  env: { readonly TERM?: string | undefined },
): DisplayMode {
  if (json) return 'silent';
  return stream.isTTY === true && env.TERM !== 'dumb' ? 'tty' : 'plain';
}

/** Shows a run to people. Events may come in any order and number. */
export function createDisplay({ stream, mode, now = () => performance.now() }: DisplayOptions): Display {
  switch (mode) {
    case 'silent':
      return { watch: () => {}, close: () => {} };
    case 'plain':
      return plainDisplay(stream, now);
    case 'tty':
      return liveDisplay(stream, now);
  }
}

function plainDisplay(stream: Terminal, now: () => number): Display {
  let state = initialState(now());
  let closed = false;
  return {
    watch(event) {
      if (closed) return;
      const at = now();
      const before = state;
      state = advance(before, event, at);
      for (const line of announce(event, before, state, true, at)) stream.write(`${printLine(line, false)}\n`);
    },
    close() {
      closed = true;
    },
  };
}

const REDRAW_INTERVAL_MS = 100;
/** The clock and the estimate move on while nothing happens. */
const TICK_MS = 1_000;

function liveDisplay(stream: Terminal, now: () => number): Display {
  const region = new LiveRegion(stream, stream.hasColors?.() ?? false);
  let state = initialState(now());
  let lasting: ReturnType<typeof announce> = [];
  let redraw: NodeJS.Timeout | undefined;
  let closed = false;

  const draw = (live = liveLines(state, region.size, now())) => {
    clearTimeout(redraw);
    redraw = undefined;
    region.draw(lasting, live);
    lasting = [];
  };
  const tick = setInterval(() => draw(), TICK_MS).unref();
  const close = () => {
    if (closed) return;
    closed = true;
    clearInterval(tick);
    process.off('exit', close);
    // How far a stopped run came stays on the screen; preparations of one that never began do not.
    draw(state.run ? undefined : []);
    region.end();
  };
  // Whatever ends the process, also an error that nobody caught, the cursor must come back.
  process.on('exit', close);

  return {
    watch(event: RunEvent) {
      if (closed) return;
      const at = now();
      const before = state;
      state = advance(before, event, at);
      lasting.push(...announce(event, before, state, false, at));
      redraw ??= setTimeout(() => draw(), REDRAW_INTERVAL_MS).unref();
    },
    close,
  };
}
