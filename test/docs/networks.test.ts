import { readFile } from 'node:fs/promises';
import { blockNames, modelSpec, sizeOf } from '@nesgd/core/models';
import { GRANULARITIES, MODEL_NAMES } from '@nesgd/core/protocol';
import { expect, test } from 'vitest';

const document = await readFile(new URL('../../docs/networks.md', import.meta.url), 'utf8');

test('docs/networks.md: the table has every network, its parameters and the length of a genome at each granularity', () => {
  const rows = [...document.matchAll(/^\| `(\w+)` \| ([\d,]+) \| .+ \| \d+ \| (\d+) \| (\d+) \| (\d+) \|$/gm)];
  const [, heading = ''] = /^\| `model\.name` \|.* \| (\w+ \| \w+ \| \w+) \|$/m.exec(document) ?? [];
  const columns = heading.split(' | ').map((plural) => plural.slice(0, -1));
  expect(columns.toSorted()).toEqual([...GRANULARITIES].sort());
  const documented = rows.map(([, name, parameters = '', ...lengths]) => [
    name,
    Number(parameters.replaceAll(',', '')),
    ...lengths.map(Number),
  ]);
  const expected = MODEL_NAMES.map((name) => {
    const trainable = modelSpec(name, [32, 32, 3], 10).parameters.filter((parameter) => parameter.trainable);
    const lengths = columns.map(
      (column) => blockNames({ name, granularity: column as (typeof GRANULARITIES)[number] }, [32, 32, 3], 10).length,
    );
    return [name, trainable.reduce((sum, { shape }) => sum + sizeOf(shape), 0), ...lengths];
  });
  expect(documented.toSorted()).toEqual(expected.toSorted());
});
