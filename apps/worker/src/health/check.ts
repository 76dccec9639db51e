/**
 * `node apps/worker/dist/health/check.js [--alive]`: how the worker that keeps the file NESGD_HEALTH_FILE is. For the
 * health checks of containers.
 *
 * Exit code 0: the worker, its broker and its trainer answer. 1: they do not; what is said names who. With `--alive` only
 * a worker that is stuck itself is at fault: to kill one because its broker is away would help nobody.
 */
import { readFile } from 'node:fs/promises';
import { healthFilesOfSeveral } from '@nesgd/core/machine';
import { faultsOf, healthReportSchema, monotonicMs, stuckFault } from './health-report.js';

async function faults(): Promise<string[]> {
  const path = process.env.NESGD_HEALTH_FILE;
  if (!path) return ['NESGD_HEALTH_FILE is not set: to the worker as here, it names the file that the worker keeps'];
  const several = await healthFilesOfSeveral(path);
  if (several.length === 0) return faultsIn(path);
  const found = await Promise.all(several.map(faultsIn));
  return found.flatMap((ones, i) => ones.map((one) => `worker ${i + 1}: ${one}`));
}

async function faultsIn(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (text instanceof Error) {
    return [text.code === 'ENOENT' ? `${path} is not there: the worker has not started, or has ended` : text.message];
  }
  const report = healthReportSchema.safeParse(parsed(text)).data;
  if (!report) return [`${path} is not the health file of a worker of this version`];
  if (!process.argv.includes('--alive')) return faultsOf(report, monotonicMs());
  return [stuckFault(report, monotonicMs())].filter((fault) => fault !== undefined);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const found = await faults();
process.stdout.write(found.length === 0 ? 'healthy\n' : `${found.join('\n')}\n`);
process.exitCode = found.length === 0 ? 0 : 1;
