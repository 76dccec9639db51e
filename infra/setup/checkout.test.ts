import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { build, buildIsCurrent } from './build.mjs';
import { packagesAreCurrent } from './packages.mjs';
import { SetupError } from './setup-error.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, content = '') => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const age = (path: string, seconds: number) => {
  const then = new Date(Date.now() - seconds * 1000);
  utimesSync(join(root, path), then, then);
};

describe('npm packages', () => {
  const install = () => {
    write('package-lock.json', '{}');
    age('package-lock.json', 60);
    write('node_modules/typescript/bin/tsc');
    write('node_modules/.package-lock.json');
  };

  it('a finished installation is current', () => {
    install();
    expect(packagesAreCurrent(root)).toBe(true);
  });

  it('an installation that was killed is not', () => {
    install();
    rmSync(join(root, 'node_modules/.package-lock.json'));
    expect(packagesAreCurrent(root)).toBe(false);
  });

  it('an installation without the compiler is not', () => {
    install();
    rmSync(join(root, 'node_modules/typescript'), { recursive: true });
    expect(packagesAreCurrent(root)).toBe(false);
  });

  it('a lock file that changed afterwards asks for a new one', () => {
    install();
    age('node_modules/.package-lock.json', 120);
    expect(packagesAreCurrent(root)).toBe(false);
  });

  it('with the stamp of an earlier set-up the content of the lock file decides, not its time', () => {
    install();
    write(
      'node_modules/.nesgd/package-lock.sha256',
      '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    );
    age('node_modules/.package-lock.json', 120);
    expect(packagesAreCurrent(root)).toBe(true);
    write('package-lock.json', '{ }');
    expect(packagesAreCurrent(root)).toBe(false);
  });
});

describe('build', () => {
  const PROJECTS = ['packages/core', 'apps/worker', 'apps/coordinator'];
  /** A compiler that leaves what `tsc -b` leaves, or complains. */
  const checkout = (compiler = '') => {
    write('tsconfig.base.json');
    for (const project of PROJECTS) {
      write(`${project}/tsconfig.json`);
      write(`${project}/package.json`);
      write(`${project}/src/deep/main.ts`, 'one');
      write(`${project}/dist/.tsbuildinfo`);
    }
    write('node_modules/typescript/bin/tsc', compiler);
  };

  it('is current after building, until a source changes, comes or goes', async () => {
    checkout();
    expect(buildIsCurrent(root)).toBe(false);
    await build(root, () => {});
    expect(buildIsCurrent(root)).toBe(true);

    write('packages/core/src/deep/main.ts', 'other');
    expect(buildIsCurrent(root)).toBe(false);
    await build(root, () => {});
    write('apps/worker/src/new.ts');
    expect(buildIsCurrent(root)).toBe(false);
    rmSync(join(root, 'apps/worker/src/new.ts'));
    expect(buildIsCurrent(root)).toBe(true);
  });

  it('is not current when what was compiled is gone', async () => {
    checkout();
    await build(root, () => {});
    rmSync(join(root, 'packages/core/dist'), { recursive: true });
    expect(buildIsCurrent(root)).toBe(false);
  });

  it("fails with the compiler's messages, and is tried again next time", async () => {
    checkout("console.log('main.ts(1,1): error TS1005'); process.exitCode = 2;");
    const failure = await build(root, () => {}).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SetupError);
    expect(failure).toMatchObject({ details: expect.stringContaining('error TS1005') });
    expect(buildIsCurrent(root)).toBe(false);
  });
});
