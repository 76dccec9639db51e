import type { z } from 'zod';
import { choicesAt, keyMeant, nearest, type Path, wantedAt } from './experiment-keys.js';

/** Something that is wrong in an experiment. */
export interface Fault {
  /** Its whole path, `retrain.epochs`; '' for the experiment as a whole. */
  readonly key: string;
  /** What was got and what would be right; without the key, unless it says otherwise. */
  readonly text: string;
  /** Values that are right by themselves contradict one another; the text names the other key. */
  readonly contradiction?: true;
}

/** Plain words for what zod found. */
export function describeIssue(issue: z.core.$ZodIssue, parents: Path = []): Fault[] {
  const path = [...parents, ...issue.path];
  const key = path.join('.');
  switch (issue.code) {
    case 'invalid_union':
      return alternativesFaults(issue, path);
    case 'unrecognized_keys':
      return issue.keys.map((name) => unknownKey(path, name));
    case 'custom':
      return [{ key, text: `${key}: ${issue.message}`, contradiction: true }];
    case 'invalid_format':
      return [{ key, text: `${key}: is ${quoted(issue.input)}: give ${issue.message}` }];
    default:
      return [
        {
          key,
          text: `${key || 'the experiment'}: ${got(issue.input)}: give ${wantedAt(path)}${meantValue(issue.input, path)}`,
        },
      ];
  }
}

/** The one place with alternatives is alpha: trained, or taken from a file. */
function alternativesFaults(issue: z.core.$ZodIssueInvalidUnion, path: Path): Fault[] {
  const key = path.join('.');
  const [training = [], file = []] = issue.errors;
  if (typeof issue.input !== 'object' || issue.input === null) {
    return [{ key, text: `${key}: ${got(issue.input)}: give ${wantedAt(path)}` }];
  }
  if (!('from' in issue.input)) return training.flatMap((inner) => describeIssue(inner, path));
  const others = Object.keys(issue.input).filter((name) => name !== 'from');
  const faults = file
    .filter((inner) => inner.code !== 'unrecognized_keys')
    .flatMap((inner) => describeIssue(inner, path));
  if (others.length === 0) return faults;
  const text = `${key}: from and the other keys (here ${others.join(', ')}) exclude one another: a network is taken from a file or trained. Give from alone, or leave it out`;
  return [{ key, text }, ...faults];
}

function unknownKey(parent: Path, name: string): Fault {
  const where = parent.length > 0 ? parent.join('.') : '(top level)';
  const meant = keyMeant(parent, name);
  return {
    key: [...parent, name].join('.'),
    text: `${where}: does not know ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : ';'} docs/experiments.md lists the keys`,
  };
}

function meantValue(input: unknown, path: Path): string {
  const meant = typeof input === 'string' ? nearest(input, choicesAt(path)) : undefined;
  return meant === undefined ? '' : `. Did you mean ${meant}?`;
}

function got(input: unknown): string {
  return input === undefined ? 'is missing' : `is ${quoted(input)}`;
}

const LONGEST_QUOTE = 60;

function quoted(input: unknown): string {
  const text = JSON.stringify(input) ?? String(input);
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
}
