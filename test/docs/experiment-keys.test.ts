import { readFile } from 'node:fs/promises';
import { experimentSchema, parseExperiment } from '@nesgd/core/run';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const document = await readFile(new URL('../../docs/experiments.md', import.meta.url), 'utf8');

/** What is used of a JSON Schema, as zod writes one. */
interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
}

/** Key, type and default of every value of an experiment, as the document's tables have them. */
function keysOf(schema: Schema, path: string): string[][] {
  if (schema.anyOf) return alternativeKeys(schema.anyOf, path);
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const key = path === '' ? name : `${path}.${name}`;
    if (value.properties || value.anyOf) return keysOf(value, key);
    const otherwise = schema.required?.includes(name) ? 'required' : 'none';
    return [[key, typeText(value), value.default === undefined ? otherwise : code(value.default)]];
  });
}

/** What one alternative requires is required where what the other requires is not there. */
function alternativeKeys(alternatives: readonly Schema[], path: string): string[][] {
  return alternatives.flatMap((alternative) => {
    const others = alternatives.filter((other) => other !== alternative).flatMap(({ required }) => required ?? []);
    const without = `required without ${others.map(code).join(', ')}`;
    return keysOf(alternative, path).map(([key = '', type = '', otherwise = '']) => [
      key,
      type,
      otherwise === 'required' ? without : otherwise,
    ]);
  });
}

function typeText(schema: Schema): string {
  if (schema.enum) return schema.enum.map(code).join(', ');
  switch (schema.type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true, false';
    case 'array':
      return `list of ${typeText(schema.items ?? {})}`;
    default:
      return `${schema.type} ${range(schema)}`;
  }
}

function range({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: Schema): string {
  // zod's integers end where numbers stop being exact; nobody needs to be told.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && most !== undefined) return `${minimum} to ${most}`;
  const bounds = { '>=': minimum, '>': exclusiveMinimum, '<=': most, '<': exclusiveMaximum };
  return Object.entries(bounds)
    .flatMap(([sign, bound]) => (bound === undefined ? [] : [`${sign} ${bound}`]))
    .join(' and ');
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

test('docs/experiments.md: lists every key with its type and default, and no other', () => {
  const rows = [...document.matchAll(/^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.+) \|$/gm)];
  const documented = rows.map(([, key = '', type = '', otherwise = '']) => [key, type, otherwise]);
  const keys = keysOf(experimentSchema.toJSONSchema({ io: 'input' }) as Schema, '');
  const byKey = (a: string[], b: string[]) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1);
  expect(documented.sort(byKey)).toEqual(keys.sort(byKey));
  expect(keys.length).toBeGreaterThan(40);
});

test('docs/experiments.md: the example is an experiment', () => {
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(document) ?? [];
  expect(parseExperiment(parse(example), 'docs/experiments.md').name).toBe('quickstart');
});
