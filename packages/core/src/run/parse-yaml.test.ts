import { expect, it } from 'vitest';
import { ExperimentError, InputError } from '../errors.js';
import { parseYaml } from './parse-yaml.js';

function refusal(text: string): InputError {
  try {
    parseYaml(text, 'x.yaml');
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

it('parseYaml: names the line of each fault of the syntax, and shows the first', () => {
  const error = refusal('name: x\nalpha: { epochs: 3\nseed: 1\n');
  expect(error.message).toMatch(/^x\.yaml is not valid YAML: Flow map .* at line 3, column 1:\n\n {2}seed: 1\n$/);
  expect((error as ExperimentError).faults[0]).toMatchObject({ key: '', line: 3 });
});

it.each([
  ['brackets', '['.repeat(50_000)],
  ['maps', '{a: '.repeat(15_000)],
  ['lists', '- '.repeat(30_000)],
  ['keys that are maps', '? '.repeat(30_000)],
  ['maps by indentation', Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
])('parseYaml: refuses %s nested without end, which would end the process', (_, text) => {
  expect(refusal(text).message).toContain('nested more than 100 deep');
});

it.each([
  ['tags', '!!a '.repeat(4_000)],
  ['values', '[]'.repeat(4_000)],
  ['keys', 'a: b\n'.repeat(1_000)],
  ['quotes', '"'.repeat(4_001)],
])('parseYaml: %s that are thousands of faults are ten at most', (_, text) => {
  const error = refusal(text);
  expect(error).toBeInstanceOf(ExperimentError);
  expect((error as ExperimentError).faults.length).toBeLessThanOrEqual(10);
});

it.each([
  ['lists', '[]'.repeat(32_000)],
  ['the keys of one map', `{${Array.from({ length: 12_000 }, (_, i) => i).join()}}`],
])('parseYaml: refuses %s without end, which would take seconds', (_, text) => {
  expect(refusal(text).message).toContain('more than 10000 words and signs');
});

it('parseYaml: refuses aliases that would fill the memory, and texts that are too long to be an experiment', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
  expect(refusal(['a0: &a0 [x]', ...levels].join('\n')).message).toContain('alias');
  expect(refusal('a: *nobody').message).toMatch(/nobody/);
  expect(refusal(' '.repeat(65_537)).message).toContain('65537 characters');
});
