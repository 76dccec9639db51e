import { expect, it } from 'vitest';
import { withLines } from './experiment-lines.js';

const TEXT = `# a comment
name: tiny
alpha: { epochs: 3,
         learningRate: 0.1 }
method:
  esgd:
    momenta:
      - 0.9
      - 1.5
`;

it.each([
  ['name', 2],
  ['alpha.learningRate', 4],
  ['alpha.batchSize', 3],
  ['method.esgd.momenta.1', 9],
  ['method.pbt.steps', 5],
  ['dataset', undefined],
  ['', undefined],
])('withLines: %s stands in line %s', (key, line) => {
  expect(withLines(TEXT, [{ key, text: 'wrong' }])).toEqual([{ key, text: 'wrong', ...(line && { line }) }]);
});

it('withLines: a line that is known stays', () => {
  expect(withLines(TEXT, [{ key: '', text: 'no YAML', line: 7 }])).toEqual([{ key: '', text: 'no YAML', line: 7 }]);
});
