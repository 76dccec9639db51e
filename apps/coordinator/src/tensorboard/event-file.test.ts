import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eventFile, type Scalar } from './event-file.js';

it('eventFile: has the bytes that TensorBoard’s own writer has', () => {
  // Made by test/oracle/tensorboard_events.py.
  const file = new URL('../../src/tensorboard/fixtures/events.json', import.meta.url);
  const { scalars, base64 } = JSON.parse(readFileSync(file, 'utf8')) as { scalars: Scalar[]; base64: string };
  expect(Buffer.from(eventFile(scalars)).toString('base64')).toBe(base64);
});
