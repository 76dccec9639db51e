import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMPLETE_FILE } from './complete.js';
import { detectEngines } from './engines.js';
import { runtimeLayout, type TensorflowBuild } from './layout.js';
import { findTensorflowAt, probeBinding } from './tensorflow.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nesgd-test-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('findTensorflow', () => {
  const fill = (path: string, file: string) => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, file), 'content');
    writeFileSync(join(path, COMPLETE_FILE), JSON.stringify({ [file]: 'content'.length }));
    return join(path, file);
  };
  const provision = (build: TensorflowBuild = 'cpu') => {
    const places = runtimeLayout(folder).tensorflow[build];
    return { library: fill(places.folder, 'library.so'), binding: fill(places.binding, 'tfjs_binding.node') };
  };
  const place = () => join(folder, 'package', 'tfjs_binding.node');
  const linkTo = (target: string) => {
    mkdirSync(join(folder, 'package'));
    symlinkSync(target, place());
  };

  it.each(['cpu', 'cuda'] as const)(
    '%s is usable when library and binding are whole and the binding is linked',
    (build) => {
      const { binding } = provision(build);
      linkTo(binding);
      expect(findTensorflowAt(place(), folder)).toEqual({ usable: true, version: '2.21.0', build, binding });
    },
  );

  it('a link into another cache folder is known for what it is', () => {
    const { binding } = provision('cuda');
    linkTo(binding);
    expect(findTensorflowAt(place(), join(folder, 'elsewhere'))).toMatchObject({
      usable: true,
      build: 'cuda',
      binding,
    });
  });

  it('of two builds side by side the linked one is taken', () => {
    provision('cpu');
    const { binding } = provision('cuda');
    linkTo(binding);
    expect(findTensorflowAt(place(), folder)).toMatchObject({ build: 'cuda', binding });
  });

  it.each([
    ['an empty cache folder', () => {}, /is not in the cache folder/],
    ['a library without a binding', () => fill(runtimeLayout(folder).tensorflow.cpu.folder, 'library.so'), /not built/],
    ['a binding that is not linked', () => provision(), /not linked/],
    ['a link into a cache folder that was deleted', () => linkTo(join(folder, 'gone')), /is not in the cache folder/],
    [
      'a library that was cut short',
      () => {
        const { library, binding } = provision();
        linkTo(binding);
        writeFileSync(library, 'con');
      },
      /damaged/,
    ],
  ])('%s is not usable, and the reason says so', (_case, arrange, reason) => {
    arrange();
    expect(findTensorflowAt(place(), folder)).toEqual({ usable: false, reason: expect.stringMatching(reason) });
  });

  it('a binding that another edition of nesgd put into the cache folder is not taken for one of the user', () => {
    provision();
    linkTo(fill(join(runtimeLayout(folder).root, 'binding-of-last-year'), 'tfjs_binding.node'));
    expect(findTensorflowAt(place(), folder)).toEqual({
      usable: false,
      reason: expect.stringMatching(/another edition/),
    });
  });

  it('without the npm package the reason names it', () => {
    expect(findTensorflowAt(undefined, folder)).toEqual({
      usable: false,
      reason: expect.stringMatching(/tfjs-node-gpu/),
    });
  });

  it('a binding that somebody built themselves is taken as it is', () => {
    const own = fill(join(folder, 'package'), 'tfjs_binding.node');
    expect(findTensorflowAt(place(), folder)).toEqual({ usable: true, version: 'unknown', build: 'own', binding: own });
  });
});

describe('probeBinding', () => {
  it("a file that is no library fails with the loader's words", async () => {
    const path = join(folder, 'tfjs_binding.node');
    writeFileSync(path, 'not a library');
    await expect(probeBinding(path)).rejects.toThrow(
      /loading .*tfjs_binding\.node failed: .*(file too short|invalid ELF)/,
    );
  });
});

describe('detectEngines', () => {
  it('wasm needs npm alone', () => {
    const { wasm } = detectEngines(folder);
    expect(wasm).toEqual({ usable: true, description: expect.stringMatching(/WebAssembly 4\.22/) });
  });
});
