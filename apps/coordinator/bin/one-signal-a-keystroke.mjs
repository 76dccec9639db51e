/** Nobody presses Ctrl-C twice as fast; npm passes a signal on within milliseconds. */
const ECHO_MS = 300;

/**
 * Ctrl-C under `npm start` or `npx` arrives twice: the terminal sends SIGINT to every process in the foreground, and
 * npm, being one, passes its own on. "Asked twice" means "at once" to us, so the echo of a keystroke is dropped. The
 * same goes for SIGTERM sent to a whole process group.
 *
 * Must come before the first listener for a signal: Node looks `emit` up then.
 * @param {import("node:events").EventEmitter} emitter process, but for tests.
 * @param {() => number} now in milliseconds.
 */
export function oneSignalAKeystroke(emitter, now = () => performance.now()) {
  const emit = emitter.emit;
  /** @type {Map<string | symbol, number>} */
  const last = new Map();
  emitter.emit = (/** @type {string} */ event, /** @type {unknown[]} */ ...args) => {
    if (event === 'SIGINT' || event === 'SIGTERM') {
      const before = last.get(event) ?? Number.NEGATIVE_INFINITY;
      last.set(event, now());
      if (now() - before < ECHO_MS) return true;
    }
    return Reflect.apply(emit, emitter, [event, ...args]);
  };
}
