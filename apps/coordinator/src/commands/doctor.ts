import { type Check, detectEngines, doctor as examine } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { bold, dim, green, type Line, padText, printLine, red, textWidth, yellow } from '../display/line.js';
import type { Terminal } from '../display/live-region.js';

export interface DoctorOptions {
  /** One JSON object: `canRun`, `checks`. */
  readonly json: boolean;
  readonly stdout: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** What looks at the machine; a test has one of its own. */
  readonly look?: (env: NodeJS.ProcessEnv) => Promise<Diagnosis>;
}

export interface Diagnosis {
  /** At least one engine can train here: what else is missing costs speed or comfort. */
  readonly canRun: boolean;
  readonly checks: readonly Check[];
}

/** `nesgd doctor`: what was found on this machine and what each missing piece would bring. @returns the exit code. */
export async function doctor({ json, stdout, env, look = lookAtMachine }: DoctorOptions): Promise<number> {
  const diagnosis = await look(env);
  if (json) {
    stdout.write(`${JSON.stringify(diagnosis)}\n`);
  } else {
    const colours = stdout.hasColors?.() ?? false;
    stdout.write(
      diagnosisLines(diagnosis)
        .map((line) => `${printLine(line, colours)}\n`)
        .join(''),
    );
  }
  return diagnosis.canRun ? 0 : 1;
}

async function lookAtMachine(env: NodeJS.ProcessEnv): Promise<Diagnosis> {
  const checks = await examine(env);
  const engines = Object.values(detectEngines(defaultCacheRoot(env)));
  const nodeIsOld = checks.some(({ name, ok }) => name === 'node' && !ok);
  return { canRun: !nodeIsOld && engines.some((engine) => engine.usable), checks };
}

/** What is there in a line each; what is missing with how to get it and what it would bring. */
function diagnosisLines({ canRun, checks }: Diagnosis): Line[] {
  const width = Math.max(...checks.map(({ name }) => textWidth(name)));
  const indent = ' '.repeat(width + 10);
  const lines = checks.flatMap(({ name, ok, found, missing, brings }): Line[] => {
    const head: Line = [ok ? green('ok      ') : yellow('missing '), bold(padText(name, width)), `  ${found}`];
    if (ok) return [head];
    return [head, ...(missing === undefined ? [] : [[indent, missing]]), [indent, dim(`would bring: ${brings}`)]];
  });
  const absent = checks.filter(({ ok }) => !ok).length;
  return [...lines, [], verdict(canRun, absent)];
}

function verdict(canRun: boolean, absent: number): Line {
  if (!canRun) return [red('nothing can run here'), ': no engine can train; see what is missing above'];
  if (absent === 0) return [green('all is there')];
  return [green('runs'), '; the missing pieces are not needed for that'];
}
