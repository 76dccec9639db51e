import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { oneSignalAKeystroke } from '../../apps/coordinator/bin/one-signal-a-keystroke.mjs';

describe('oneSignalAKeystroke', () => {
  const setUp = () => {
    const emitter = new EventEmitter();
    const seen: string[] = [];
    const clock = { now: 1_000 };
    oneSignalAKeystroke(emitter, () => clock.now);
    for (const name of ['SIGINT', 'SIGTERM', 'message']) emitter.on(name, (word) => seen.push(`${name} ${word}`));
    const at = (ms: number, name: string) => {
      clock.now = ms;
      emitter.emit(name, 'x');
    };
    return { seen, at };
  };

  it("npm's echo of a Ctrl-C is dropped, a second Ctrl-C is not", () => {
    const { seen, at } = setUp();
    at(1_000, 'SIGINT');
    at(1_004, 'SIGINT');
    expect(seen).toEqual(['SIGINT x']);
    at(2_000, 'SIGINT');
    expect(seen).toHaveLength(2);
  });

  it('other signals and events pass, however fast', () => {
    const { seen, at } = setUp();
    at(1_000, 'SIGINT');
    at(1_001, 'SIGTERM');
    at(1_002, 'message');
    at(1_003, 'message');
    expect(seen).toEqual(['SIGINT x', 'SIGTERM x', 'message x', 'message x']);
  });
});
