import { readFile } from 'node:fs/promises';
import { factSchema } from '@nesgd/core/run';
import { expect, test } from 'vitest';
import { summary } from '../../apps/coordinator/src/display/example-run.fixture.js';

const document = await readFile(new URL('../../docs/run-outputs.md', import.meta.url), 'utf8');

/** The words in code of the first column of the table under a heading. */
function firstColumn(heading: string): string[] {
  const [, section = ''] = document.split(`\n## ${heading}\n`);
  const rows = section.split('\n## ')[0]?.match(/^\| `.*?\|/gm) ?? [];
  return rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, word = '']) => word));
}

test('docs/run-outputs.md: explains every fact of a journal, and no other', () => {
  const types = factSchema.options.map(({ shape }) => shape.type.value);
  expect(firstColumn('The journal').sort()).toEqual([...types].sort());
});

test('docs/run-outputs.md: explains every key of `run --json`, and no other', () => {
  expect(firstColumn('The result: `run --json`').sort()).toEqual(Object.keys(summary).sort());
});
