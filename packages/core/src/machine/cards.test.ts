import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { visibleCards } from './cards.js';

const A = { uuid: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6', name: 'NVIDIA H100 80GB HBM3', memoryMb: 81559 };
const B = { uuid: 'GPU-8a56e4b0-184d-4f4e-b8a8-0b5c0f3c8a11', name: 'NVIDIA GeForce RTX 3090', memoryMb: 24576 };

describe('visibleCards', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** An nvidia-smi that answers our query, and no other, with these lines. */
  const driver = (lines: readonly string[], exitCode = 0, list: readonly string[] = []) =>
    writeFileSync(
      join(folder, 'nvidia-smi'),
      `#!/bin/sh
      if [ "$*" = "-L" ]; then
        ${list.map((line) => `echo '${line}'`).join('\n')}
        exit ${list.length > 0 ? 0 : 2}
      fi
      if [ "$*" != "--query-gpu=index,uuid,name,memory.total --format=csv,noheader,nounits" ]; then exit 2; fi
      ${lines.map((line) => `echo '${line}'`).join('\n')}
      exit ${exitCode}`,
      { mode: 0o755 },
    );
  const lineOf = (index: number, { uuid, name, memoryMb }: typeof A) => `${index}, ${uuid}, ${name}, ${memoryMb}`;
  const look = (list?: string) =>
    visibleCards({ PATH: folder, ...(list !== undefined && { CUDA_VISIBLE_DEVICES: list }) }, folder);
  const twoCards = () => driver([lineOf(0, A), lineOf(1, B)]);

  it.each([
    ['not set: all', undefined, [A, B]],
    ['a number', '1', [B]],
    ['numbers in another order', '1, 0', [B, A]],
    ['a UUID', B.uuid, [B]],
    ['a UUID cut short', 'GPU-8932', [A]],
    ['an ambiguous UUID, and all after it', '1,GPU-8,0', [B]],
    ['a number too high, and all after it', '0,2,1', [A]],
    ['empty', '', []],
    ['-1', '-1', []],
    ["Slurm's word for none", 'NoDevFiles', []],
  ])('CUDA_VISIBLE_DEVICES %s', (_case, list, cards) => {
    twoCards();
    expect(look(list).cards).toEqual(cards);
  });

  it('says that the variable hides what is there', () => {
    twoCards();
    expect(look('-1').reason).toBe('CUDA_VISIBLE_DEVICES=-1 shows none of 2 cards');
    expect(look().reason).toBeUndefined();
  });

  it("a part that nvidia-smi does not list is known by the variable's name for it alone", () => {
    twoCards();
    expect(look('MIG-4d2f').cards).toEqual([{ uuid: 'MIG-4d2f', name: 'a part of a card (MIG)', memoryMb: undefined }]);
  });

  describe('parts that MIG made', () => {
    const part = (uuid: string, profile: string, memoryMb: number) => ({
      uuid,
      name: `${A.name} MIG ${profile}`,
      memoryMb,
    });
    const [first, second] = [
      part('MIG-c7384736-a75d', '3g.40gb', 38912),
      part('MIG-GPU-8932f937/4/0', '1g.10gb', 9728),
    ];
    beforeEach(() =>
      driver([lineOf(0, A), lineOf(1, B)], 0, [
        `GPU 0: ${A.name} (UUID: ${A.uuid})`,
        `  MIG 3g.40gb     Device  0: (UUID: ${first?.uuid})`,
        `  MIG 1g.10gb     Device  1: (UUID: ${second?.uuid})`,
        `GPU 1: ${B.name} (UUID: ${B.uuid})`,
      ]),
    );

    it.each([
      ['not set: in place of their card', undefined, [first, second, B]],
      ["their card's number", '0', [first, second]],
      ["their card's UUID", A.uuid, [first, second]],
      ['one by its UUID', 'MIG-c7384736-a75d', [first]],
      ['one by the UUID of older drivers, and a whole card', 'MIG-GPU-8932f937/4/0,1', [second, B]],
    ])('CUDA_VISIBLE_DEVICES %s', (_case, list, cards) => expect(look(list).cards).toEqual(cards));
  });

  it('memory that the driver does not say is unknown', () => {
    driver([`0, ${A.uuid}, NVIDIA GB10, [N/A]`]);
    expect(look().cards).toEqual([{ uuid: A.uuid, name: 'NVIDIA GB10', memoryMb: undefined }]);
  });

  it('without a driver, with one that fails, and with nvidia-smi missing, each reason says so', () => {
    expect(look()).toEqual({ cards: [], reason: 'no NVIDIA driver here (nvidia-smi)' });
    mkdirSync(join(folder, 'proc/driver/nvidia/gpus/0000:01:00.0'), { recursive: true });
    expect(look().reason).toMatch(/nvidia-smi is not on the PATH.*NVIDIA_DRIVER_CAPABILITIES/);
    driver(['', 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'], 9);
    expect(look()).toEqual({ cards: [], reason: expect.stringMatching(/^nvidia-smi fails: NVIDIA-SMI has failed/) });
    driver(['No devices were found']);
    expect(look()).toEqual({ cards: [], reason: 'nvidia-smi lists no card' });
  });
});
