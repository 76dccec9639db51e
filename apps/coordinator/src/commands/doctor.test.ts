import { expect, test } from 'vitest';
import { type Diagnosis, doctor } from './doctor.js';

const diagnosis: Diagnosis = {
  canRun: true,
  checks: [
    { name: 'node', ok: true, found: '20.20.2', brings: 'runs everything' },
    { name: 'TensorFlow', ok: false, found: 'not usable', missing: '"npm run setup" gets it', brings: 'trains faster' },
  ],
};

async function examine(json: boolean, found: Diagnosis, hasColors = false): Promise<{ text: string; code: number }> {
  let text = '';
  const stdout = {
    write: (part: string) => {
      text += part;
    },
    hasColors: () => hasColors,
  };
  const code = await doctor({ json, stdout, env: {}, look: async () => found });
  return { text, code };
}

test('doctor: what is there takes a line, what is missing also says how to get it and what it would bring', async () => {
  const { text, code } = await examine(false, diagnosis);
  expect(text.split('\n')).toEqual([
    'ok      node        20.20.2',
    'missing TensorFlow  not usable',
    '                    "npm run setup" gets it',
    '                    would bring: trains faster',
    '',
    'runs; the missing pieces are not needed for that',
    '',
  ]);
  expect(code).toBe(0);
});

test('doctor: exit code 1, and the reason, only where nothing can run', async () => {
  const { text, code } = await examine(false, { ...diagnosis, canRun: false });
  expect(code).toBe(1);
  expect(text).toContain('nothing can run here');
});

test('doctor: nothing missing is said in one line', async () => {
  const { text } = await examine(false, { canRun: true, checks: diagnosis.checks.slice(0, 1) });
  expect(text.trimEnd().split('\n').at(-1)).toBe('all is there');
});

test('doctor: --json prints one object', async () => {
  const { text, code } = await examine(true, diagnosis);
  expect(JSON.parse(text)).toEqual(diagnosis);
  expect(text.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(0);
});

test('doctor: colours only where the terminal has them', async () => {
  expect((await examine(false, diagnosis, true)).text).toContain('\u001b[');
  expect((await examine(false, diagnosis, false)).text).not.toContain('\u001b[');
});

test('doctor: this machine, which runs this test, can run', async () => {
  let text = '';
  const stdout = {
    write: (part: string) => {
      text += part;
    },
  };
  expect(await doctor({ json: true, stdout, env: process.env })).toBe(0);
  const { canRun, checks } = JSON.parse(text);
  expect(canRun).toBe(true);
  expect(checks.find((check: { name: string }) => check.name === 'node')).toMatchObject({
    ok: true,
    found: process.versions.node,
  });
});
