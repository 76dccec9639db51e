import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OPERATIONS_DIGEST } from './edition.js';

it('names the binding by the operations that are compiled into it: another edition of them is another binding', () => {
  const folder = new URL('../native/', import.meta.url);
  const digest = createHash('sha256');
  for (const file of readdirSync(folder).sort()) digest.update(readFileSync(new URL(file, folder)));
  expect(OPERATIONS_DIGEST).toBe(digest.digest('hex').slice(0, OPERATIONS_DIGEST.length));
});
