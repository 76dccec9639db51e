import { InputError } from '@nesgd/core/errors';
import { describe, expect, it } from 'vitest';
import { refuseUnmarked, withTable } from './write-table.js';

const TEXT = 'a\n<!-- bench wasm: begin -->\nold\n<!-- bench wasm: end -->\nb <!-- bench tensorflow: begin -->\n';

describe('the table in the documentation', () => {
  it('withTable: is replaced, and nothing else', () => {
    const written = withTable(TEXT, 'wasm', 'new');
    expect(written).toBe(TEXT.replace('\nold\n', '\n\nnew\n\n'));
    expect(withTable(written, 'wasm', 'new')).toBe(written);
  });

  it('refuseUnmarked: a text without both marks is refused, with the marks it wants', () => {
    expect(() => refuseUnmarked(TEXT, 'wasm', 'file.md')).not.toThrow();
    expect(() => refuseUnmarked(TEXT, 'tensorflow', 'file.md')).toThrow(InputError);
    expect(() => refuseUnmarked('', 'wasm', 'file.md')).toThrow(/file\.md has no lines "<!-- bench wasm: begin -->"/);
  });
});
