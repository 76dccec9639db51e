import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { ExperimentError, InputError } from '../errors.js';
import { METHOD_NAMES } from '../methods/index.js';
import type { Experiment } from './experiment.js';
import { flagsOf, type Overrides } from './flags.js';
import { parseExperiment } from './parse-experiment.js';
import { parseYaml } from './parse-yaml.js';

/**
 * Reads and checks an experiment file. Relative paths in it are made absolute: a run may be resumed from another folder.
 * @throws InputError with file or flag, key or line, and what would be right.
 */
export async function loadExperiment(path: string, overrides: Overrides = {}): Promise<Experiment> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('EXPERIMENT_FILE', `cannot read the experiment file ${path}: ${cause.message}`, false, {
      cause,
    });
  });
  return experimentFromText(text, path, overrides);
}

/** The same of a text. @param path how messages name it. @throws InputError */
export function experimentFromText(text: string, path: string, overrides: Overrides = {}): Experiment {
  const value = parseYaml(text, path);
  if (!isRecord(value))
    throw new InputError('EXPERIMENT_FILE', `${path} holds no keys: an experiment starts with "name: ..."`);

  const changed = override(structuredClone(value), path, overrides);
  const { expectation: _, ...rest } = value;
  const experiment = isAboutTheSame(value, changed) ? changed : override(rest, path, overrides);
  return withAbsolutePaths(parseExperiment(experiment, path, flagsOf(overrides)));
}

/** @returns `value`, which it changes. */
function override(value: Record<string, unknown>, path: string, overrides: Overrides): Record<string, unknown> {
  const { profile, set } = splitProfile(overrides.set ?? []);
  applyProfile(value, profile, path);
  for (const assignment of set) applySet(value, assignment);
  if (overrides.dataPath !== undefined) {
    if (!isRecord(value.dataset))
      throw new InputError('EXPERIMENT', `${path}: dataset is missing, so --data has no place`);
    value.dataset.path = overrides.dataPath;
  }
  if (overrides.device !== undefined) applySet(value, `runtime.device=${overrides.device}`);
  return value;
}

/** What was published of a network, a data set and a method says nothing of another. */
function isAboutTheSame(before: Record<string, unknown>, after: Record<string, unknown>): boolean {
  const nameIn = (section: unknown) => (isRecord(section) ? section.name : undefined);
  const methodIn = ({ method }: Record<string, unknown>) => nameIn(method) ?? METHOD_NAMES[0];
  return (
    nameIn(before.model) === nameIn(after.model) &&
    nameIn(before.dataset) === nameIn(after.dataset) &&
    methodIn(before) === methodIn(after)
  );
}

/** `--set profile=NAME` is no key of an experiment but names one of the file's `profiles`; the last one holds. */
function splitProfile(assignments: readonly string[]): { profile: string | undefined; set: string[] } {
  const isProfile = (assignment: string) => assignment.startsWith('profile=');
  return {
    profile: assignments.findLast(isProfile)?.slice('profile='.length),
    set: assignments.filter((assignment) => !isProfile(assignment)),
  };
}

/** `profiles: { small: { ... } }`: what is said there replaces what is said above, key by key. Without a name none does. */
function applyProfile(value: Record<string, unknown>, name: string | undefined, path: string): void {
  const { profiles = {} } = value;
  delete value.profiles;
  const fault = isRecord(profiles) ? Object.keys(profiles).find((key) => !isRecord(profiles[key])) : 'profiles';
  if (!isRecord(profiles) || fault !== undefined) {
    throw new InputError(
      'PROFILES',
      `${path}: profiles wants names with keys of an experiment below them (at ${fault})`,
    );
  }
  if (name === undefined) return;
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (!isRecord(profile)) {
    const there = Object.keys(profiles).join(', ') || 'none';
    throw setError(`profile=${name}`, `${path} has no such profile (it has: ${there})`);
  }
  overlay(value, profile);
}

function overlay(target: Record<string, unknown>, changes: Record<string, unknown>): void {
  for (const [key, change] of Object.entries(changes)) {
    if (key === '__proto__') continue; // Not a key that the schema could refuse.
    const below = Object.hasOwn(target, key) ? target[key] : undefined;
    if (isRecord(below) && isRecord(change)) overlay(below, change);
    else target[key] = change;
  }
}

function withAbsolutePaths({ dataset, alpha, ...rest }: Experiment): Experiment {
  return {
    ...rest,
    dataset: { ...dataset, ...(dataset.path !== undefined && { path: resolve(dataset.path) }) },
    alpha: 'from' in alpha ? { from: resolve(alpha.from) } : alpha,
  };
}

/** The text of an experiment file that says everything, defaults too; `loadExperiment` gives the same experiment. */
export function formatExperiment(experiment: Experiment, comment: string): string {
  return `# ${comment}\n${stringify(experiment)}`;
}

/** `retrain.epochs=3` sets that key; missing objects on the way are made, and the schema then says if the key exists. */
function applySet(target: Record<string, unknown>, assignment: string): void {
  const equals = assignment.indexOf('=');
  const keys = assignment.slice(0, equals).split('.');
  // `__proto__` would set what all objects inherit from, not a key that the schema could refuse.
  if (equals < 1 || keys.some((key) => key === '' || key === '__proto__')) {
    throw setError(assignment, 'wants key=value, such as --set retrain.epochs=3');
  }
  const value = setValue(assignment, assignment.slice(equals + 1));

  let place = target;
  for (const key of keys.slice(0, -1)) {
    const next = Object.hasOwn(place, key) ? place[key] : undefined;
    if (isRecord(next)) {
      place = next;
    } else if (next === undefined || next === null) {
      const made: Record<string, unknown> = Object.create(null);
      place[key] = made;
      place = made;
    } else {
      throw setError(assignment, `${key} is ${JSON.stringify(next)}, which has no keys`);
    }
  }
  place[keys.at(-1) as string] = value;
}

function setValue(assignment: string, text: string): unknown {
  try {
    return parseYaml(text, 'the value');
  } catch (error) {
    throw error instanceof InputError ? setError(assignment, error.message.trimEnd()) : error;
  }
}

function setError(assignment: string, text: string): ExperimentError {
  const flag = `--set ${assignment}`;
  return new ExperimentError(`${flag}: ${text}`, [{ key: '', text, flag }], 'SET_FLAG');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
