import { resolve } from 'node:path';
import { InputError } from '../errors.js';
import type { Fault } from './experiment-faults.js';

/** A key of an experiment that was set on the command line. */
export interface Flag {
  /** Its path, `retrain.epochs`. */
  readonly key: string;
  /** As it was typed: `--set retrain.epochs=3`, `--data PATH`. */
  readonly text: string;
}

export interface Overrides {
  /** `key.path=value` texts of `--set`; the value is read as YAML. */
  readonly set?: readonly string[];
  /** `--data`: where the data set is. */
  readonly dataPath?: string;
  /** `--device`: what the run computes on. */
  readonly device?: string;
}

/** In the order in which they are applied. */
export function flagsOf({ set = [], dataPath, device }: Overrides): Flag[] {
  return [
    ...set.map((assignment) => ({ key: assignment.split('=', 1)[0] ?? '', text: `--set ${assignment}` })),
    ...(dataPath === undefined ? [] : [{ key: 'dataset.path', text: `--data ${dataPath}` }]),
    ...(device === undefined ? [] : [{ key: 'runtime.device', text: `--device ${device}` }]),
  ];
}

/** The flag that a fault came from: the last that set its key, or something in it or around it, or what contradicts it. */
export function flagAtFault(flags: readonly Flag[], { key, text, contradiction }: Fault): Flag | undefined {
  const direct = flags.findLast((flag) => isInside(key, flag.key) || (key !== '' && isInside(flag.key, key)));
  if (direct || !contradiction) return direct;
  const names = (name: string) => new RegExp(`(?<![\\w.])${name.replace(/[^\w]/g, '\\$&')}(?![\\w.])`).test(text);
  return flags.findLast(
    (flag) => names(flag.key) || (parentOf(flag.key) === parentOf(key) && names(flag.key.split('.').at(-1) ?? '')),
  );
}

/**
 * Puts before an error in what an experiment names, found when that was looked at (a data set, an alpha), the flag that
 * named it.
 * @returns the error itself where no flag did.
 */
export function withFlag(error: unknown, overrides: Overrides): unknown {
  if (!(error instanceof InputError)) return error;
  const { message } = error;
  const flags = flagsOf(overrides);
  const [key] = /^[a-z]+(\.\w+)+/i.exec(message) ?? [];
  // Faults inside of a data set name the file.
  const isInData = overrides.dataPath !== undefined && message.startsWith(resolve(overrides.dataPath));
  const flag = key === undefined ? (isInData ? flags.at(-1) : undefined) : flagAtFault(flags, { key, text: message });
  return flag ? new InputError(error.code, `${flag.text}: ${message}`, error.retryable, { cause: error }) : error;
}

function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`);
}

function parentOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('.')));
}
