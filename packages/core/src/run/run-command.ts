import { dirname, resolve } from 'node:path';

/** `nesgd resume ID [--runs DIR]`: a command about one run, as it finds that run from the current folder. */
export function runCommand(command: 'resume' | 'status', { id, path }: { id: string; path: string }): string {
  const folder = dirname(resolve(path));
  return `nesgd ${command} ${id}${folder === resolve('runs') ? '' : ` --runs ${shellWord(folder)}`}`;
}

/** One word of a shell's command line: in quotes where it needs them. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
