import { ExperimentError } from '../errors.js';
import { type Experiment, experimentSchema } from './experiment.js';
import { describeIssue, type Fault } from './experiment-faults.js';
import { type Flag, flagAtFault } from './flags.js';

/**
 * Checks an experiment and fills in defaults.
 * @param source how messages name where the value came from (a file's path).
 * @param flags what was set on the command line: a fault in it names the flag instead of the source.
 * @throws ExperimentError listing every fault with its key.
 */
export function parseExperiment(value: unknown, source: string, flags: readonly Flag[] = []): Experiment {
  const parsed = experimentSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => describeIssue(issue));
  const origins = faults.map((fault) => flagAtFault(flags, fault)?.text);
  throw new ExperimentError(
    message(faults, source, origins),
    faults.map(({ key, text }, i) => ({ key, text, ...(origins[i] !== undefined && { flag: origins[i] }) })),
  );
}

function message(faults: readonly Fault[], source: string, origins: readonly (string | undefined)[]): string {
  const lines = (parts: readonly string[]) => parts.map((part) => `\n  ${part}`).join('');
  if (origins.every((origin) => origin === undefined)) {
    return `${source} is not a valid experiment:${lines(faults.map(({ text }) => text))}`;
  }
  const parts = faults.map(({ text }, i) => `${origins[i] ?? source}: ${text}`);
  return parts.length === 1 ? parts.join() : `the experiment is not valid:${lines(parts)}`;
}
