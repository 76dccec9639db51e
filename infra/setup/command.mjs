import { spawn } from 'node:child_process';

/** How much of a tool's output is kept for its error message. */
const KEPT_OUTPUT_CHARS = 20_000;

/** A tool ended badly. `output`: the end of what it wrote, standard output and error in order of arrival. */
export class CommandError extends Error {
  /**
   * @param {string} command
   * @param {string} how
   * @param {string} output
   */
  constructor(command, how, output) {
    super(`${command} ${how}`);
    this.name = 'CommandError';
    this.output = output;
  }
}

/**
 * Runs a tool and waits for it; its output is kept, not shown.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onStart?: (pid: number) => void }} [options]
 *   `onStart`: told the tool's process id, so that a lock can name it.
 * @returns {Promise<string>} the output.
 * @throws {CommandError}
 */
export function run(command, args, { cwd, env = process.env, onStart } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid !== undefined) onStart?.(child.pid);
    let output = '';
    const keep = (/** @type {string} */ text) => {
      output = (output + text).slice(-KEPT_OUTPUT_CHARS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => reject(new CommandError(command, `did not start: ${error.message}`, output)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new CommandError(command, signal ? `was ended by ${signal}` : `ended with code ${code}`, output));
    });
  });
}
