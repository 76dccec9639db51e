import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * Runs a program of the machine with a text on its standard input.
 * @param wanted what to install where it is not there. @returns its exit code, and all that it said.
 */
export async function runProgram(file: string, args: readonly string[], input: string, wanted: string) {
  const child = spawn(file, args, { stdio: 'pipe' });
  const gone = once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error(`there is no ${file}: ${wanted}`) : error;
  });
  child.stdin.on('error', () => {}); // It ended before it had read all; its exit code says so.
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), gone]);
  return { code: code as number | null, said: stdout + stderr };
}
