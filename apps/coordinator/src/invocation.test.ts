import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { invocation, typed, withTypedCommands } from './invocation.js';

const bin = fileURLToPath(new URL('../bin/nesgd.mjs', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('invocation', () => {
  it.each<[string, string, NodeJS.ProcessEnv, string]>([
    ['npm start', bin, { npm_lifecycle_event: 'start' }, 'npm start --'],
    [
      'npx',
      '/checkout/node_modules/.bin/nesgd',
      { npm_command: 'exec', PATH: '/checkout/node_modules/.bin' },
      'npx nesgd',
    ],
    ['its name, installed', '/usr/local/bin/nesgd', { PATH: '/bin:/usr/local/bin' }, 'nesgd'],
    ['a link that is not on the PATH', '/opt/my tools/nesgd', { PATH: '/bin' }, "'/opt/my tools/nesgd'"],
    ['node', bin, {}, 'node apps/coordinator/bin/nesgd.mjs'],
    ['node, in a script that npm runs', bin, { npm_lifecycle_event: 'test' }, 'node apps/coordinator/bin/nesgd.mjs'],
    ['a container that says so', bin, { NESGD_COMMAND: 'docker compose run nesgd' }, 'docker compose run nesgd'],
  ])('started by %s, it is started so again', (_, entry, env, wanted) => {
    expect(invocation(entry, env, root)).toBe(wanted);
  });

  it('names its entry from the root where the current folder is elsewhere', () => {
    expect(invocation(bin, {}, '/')).toBe(`node ${bin.slice(1)}`);
    expect(invocation(bin, {}, '/usr/lib')).toBe(`node ${bin}`);
  });
});

describe('withTypedCommands', () => {
  const nesgd = typed('nesgd x').slice(0, -2);

  it('replaces the commands that a text quotes, and nothing else', () => {
    const text = 'nesgd: run nesgd failed: "nesgd run FILE" or `nesgd doctor`; "nesgd" alone stays';
    expect(withTypedCommands(text)).toBe(
      `nesgd: run nesgd failed: "${nesgd} run FILE" or \`${nesgd} doctor\`; "nesgd" alone stays`,
    );
  });

  it('completes a bare resume with the run that the message is about, also where its folder has a $', () => {
    expect(withTypedCommands('"nesgd resume" goes on', "nesgd resume a --runs '/$&/$1'")).toBe(
      `"${nesgd} resume a --runs '/$&/$1'" goes on`,
    );
    expect(withTypedCommands('"nesgd resume b" goes on', 'nesgd resume a')).toBe(`"${nesgd} resume b" goes on`);
  });
});
