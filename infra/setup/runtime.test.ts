import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Component, type Context, ensureRuntime } from './runtime.mjs';
import { SetupError } from './setup-error.mjs';
import { tensorflow, tensorflowForCards, wantsCards } from './tensorflow.mjs';
import { valkey } from './valkey.mjs';

describe('ensureRuntime', () => {
  let cacheRoot: string;
  let said: string[];
  let installs: number;
  beforeEach(() => {
    cacheRoot = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
    said = [];
    installs = 0;
  });
  afterEach(() => rmSync(cacheRoot, { recursive: true, force: true }));

  const place = () => join(cacheRoot, 'runtime', 'piece');
  const piece = (overrides: Partial<Component> = {}): Component => ({
    name: 'Piece 1.0',
    without: 'it goes on slower',
    isThere: () => existsSync(place()),
    lacks: () => undefined,
    install: async () => {
      installs += 1;
      mkdirSync(place(), { recursive: true });
    },
    ...overrides,
  });
  const failing = (message: string) =>
    piece({
      install: async () => {
        installs += 1;
        throw new SetupError(message, 'a long story');
      },
    });
  const ensure = (components: Component[], options: { explicit?: boolean; env?: NodeJS.ProcessEnv } = {}) =>
    ensureRuntime(
      {
        env: { ...options.env, NESGD_CACHE: cacheRoot },
        steps: { say: (line) => said.push(line), step: (_name, work) => work(() => {}) },
        explicit: options.explicit ?? false,
      },
      components,
    );

  it('installs what is missing once, and is silent when all is there', async () => {
    expect(await ensure([piece()])).toBe(true);
    expect(await ensure([piece()])).toBe(true);
    expect(installs).toBe(1);
    expect(said).toEqual([]);
  });

  it('a missing prerequisite is told with its consequence, and nothing is tried', async () => {
    expect(await ensure([piece({ lacks: () => 'there is no g++' })])).toBe(false);
    expect(said).toEqual(['without Piece 1.0: there is no g++; so it goes on slower']);
    expect(installs).toBe(0);
  });

  it('a failure does not throw, is remembered for some minutes, and is tried again when asked for', async () => {
    expect(await ensure([failing('no network')])).toBe(false);
    expect(await ensure([failing('no network')])).toBe(false);
    expect(installs).toBe(1);
    expect(said[0]).toMatch(/without Piece 1\.0: no network/);
    expect(said[1]).toMatch(/no network \(0 min ago; "npm run setup" tries again at once\)/);

    expect(await ensure([piece()], { explicit: true })).toBe(true);
    rmSync(place(), { recursive: true });
    expect(await ensure([piece()])).toBe(true); // Success wipes the memory of failure.
  });

  it('an old failure is tried again by itself', async () => {
    await ensure([failing('no network')]);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(join(cacheRoot, 'runtime', 'failed-Piece-1-0.txt'), longAgo, longAgo);
    expect(await ensure([piece()])).toBe(true);
  });

  it('one piece that fails does not keep the others away', async () => {
    expect(await ensure([{ ...failing('broken'), name: 'Other' }, piece()])).toBe(false);
    expect(existsSync(place())).toBe(true);
  });

  it('what a killed set-up left behind is cleared', async () => {
    const left = join(cacheRoot, 'runtime', '.partial-x');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'lib'), 'half');
    await ensure([piece()]);
    expect(existsSync(left)).toBe(false);
  });

  it('without python3 and g++ both pieces say which one is missing, and how to get it', () => {
    const context = {
      cacheRoot,
      env: { PATH: cacheRoot },
      explicit: true,
      steps: { say: () => {}, step: () => Promise.reject(new Error('nothing is to be done')) },
      onStart: () => {},
    };
    expect(valkey.isThere(context)).toBe(false);
    expect(valkey.lacks(context)).toMatch(/no python3 on the PATH|provided for linux/);
    expect(tensorflow.lacks(context)).toMatch(/no python3 on the PATH|provided for linux/);
    writeFileSync(join(cacheRoot, 'python3'), '', { mode: 0o755 });
    expect(tensorflow.lacks(context)).toMatch(/no g\+\+ on the PATH|provided for linux/);
  });

  describe('TensorFlow for cards', () => {
    const steps = { say: (line: string) => said.push(line), step: () => Promise.reject(new SetupError('no network')) };
    const context = (explicit: boolean, env: NodeJS.ProcessEnv = {}) =>
      ({ cacheRoot, env, explicit, root: cacheRoot, steps, onStart: () => {} }) satisfies Context;
    const isWanted = (...args: Parameters<typeof context>) => wantsCards(context(...args));

    it('is brought by a set-up that finds a card, and by a start only when asked for', () => {
      expect(isWanted(true)).toBe(false);
      mkdirSync(join(cacheRoot, 'proc/driver/nvidia/gpus/0000:01:00.0'), { recursive: true });
      expect(isWanted(true)).toBe(true);
      expect(isWanted(true, { NESGD_DEVICE: '' })).toBe(true);
      expect(isWanted(true, { NESGD_DEVICE: 'cpu' })).toBe(false);
      expect(isWanted(false)).toBe(false);
      expect(isWanted(false, { NESGD_DEVICE: 'gpu' })).toBe(true);
    });

    it('says why gigabytes follow where nobody asked for them, and how to do without', async () => {
      await expect(tensorflowForCards.install(context(true))).rejects.toThrow('no network');
      await expect(tensorflowForCards.install(context(true, { NESGD_DEVICE: 'gpu' }))).rejects.toThrow('no network');
      expect(said).toEqual([
        expect.stringMatching(/an NVIDIA card: TensorFlow .* for NVIDIA cards follows \(2\.9 GB; NESGD_DEVICE=cpu/),
      ]);
    });
  });
});
