import { basename, delimiter, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '@nesgd/core/run';

const BIN = fileURLToPath(new URL('../bin/nesgd.mjs', import.meta.url));

/**
 * What to type to start this program again, in this shell and folder, as it was started just now: `npm start --`,
 * `npx nesgd`, `nesgd` where it is installed, else node with the path of its entry. `NESGD_COMMAND` overrules, for
 * starts that cannot be seen from inside, such as a container's.
 * @param entry `process.argv[1]`: a link on the PATH is not resolved in it.
 */
export function invocation(entry: string | undefined, env: NodeJS.ProcessEnv, cwd: string): string {
  if (env.NESGD_COMMAND) return env.NESGD_COMMAND;
  if (entry !== undefined && basename(entry) === 'nesgd') {
    if (env.npm_command === 'exec') return 'npx nesgd';
    if ((env.PATH ?? '').split(delimiter).includes(dirname(entry))) return 'nesgd';
    return shellWord(resolve(entry));
  }
  if (entry === BIN && env.npm_lifecycle_event === 'start') return 'npm start --';
  const near = relative(cwd, BIN);
  return `node ${shellWord(near.startsWith('..') ? BIN : near)}`;
}

const NESGD = invocation(process.argv[1], process.env, process.cwd());

/** A command as our messages have it, `nesgd resume ...`, as it is typed here. */
export function typed(command: string): string {
  return command.replace(/^nesgd(?= )/, NESGD);
}

/**
 * Commands quoted in a text, as they are typed here. Messages come from all packages and from other machines' workers,
 * which do not know how the reader started this program; they write "nesgd ...".
 * @param resume what a bare "nesgd resume" means: the run that the message is about.
 */
export function withTypedCommands(text: string, resume = 'nesgd resume'): string {
  return text.replaceAll('"nesgd resume"', () => `"${resume}"`).replace(/(?<=["`])nesgd(?= [a-z])/g, () => NESGD);
}
