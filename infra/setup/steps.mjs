/**
 * What set-up shows: one line a step, with the time it took. On a terminal a step that takes long shows that it is
 * alive. Everything goes to standard error: standard output belongs to the command that follows.
 */

const REDRAW_MS = 200;
const NAME_WIDTH = 40;

/**
 * @typedef {object} Steps
 * @property {<T>(name: string, work: (progress: (text: string) => void) => Promise<T>) => Promise<T>} step
 *   Runs one step; `progress` says how far it is.
 * @property {(line: string) => void} say A line of its own.
 */

/**
 * @param {Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean, columns?: number }} stream
 * @param {string} [prefix] begins every line.
 * @returns {Steps}
 */
export function createSteps(stream, prefix = 'set-up') {
  const say = (/** @type {string} */ line) => stream.write(`${prefix}: ${line}\n`);
  const erase = () => stream.isTTY && stream.write('\r\u001b[2K');

  return {
    say,
    async step(name, work) {
      const started = performance.now();
      const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
      let text = '';
      const redraw = () => {
        erase();
        // A line that wraps could not be erased.
        stream.write(
          `${prefix}: ${name.padEnd(NAME_WIDTH)} ${seconds()}  ${text}`.slice(0, (stream.columns ?? 80) - 1),
        );
      };
      const timer = stream.isTTY ? setInterval(redraw, REDRAW_MS) : undefined;
      try {
        const result = await work((progress) => {
          text = progress;
        });
        erase();
        say(`${name.padEnd(NAME_WIDTH)} ${seconds()}`);
        return result;
      } catch (error) {
        erase();
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
