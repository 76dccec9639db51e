/** `npm test [-- <vitest arguments>]`: sets up what is missing, then runs the tests, all or those of the given paths. */
import './check-node.mjs';
import { ensureSetUp, ROOT } from './ensure.mjs';

const complete = await ensureSetUp();
if (!complete) await sayAtTheEndWhatIsMissing();
process.chdir(ROOT);
process.argv = [process.execPath, 'vitest', 'run', ...process.argv.slice(2)];
await import(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url).href);

/** The tests that want a broker fail without one; whoever reads the last lines shall know what to install. */
async function sayAtTheEndWhatIsMissing() {
  const { findBrokerBinary } = await import('../../packages/core/dist/runtime/find-broker.js');
  const { defaultCacheRoot } = await import('../../packages/core/dist/storage/index.js');
  if (findBrokerBinary(defaultCacheRoot(process.env), process.env)) return;
  const { lacksPython } = await import('./prerequisites.mjs');
  const why = lacksPython(process.env) ?? 'its set-up failed, as said above';
  process.on('exit', (code) => {
    if (code === 0) return;
    process.stderr.write(
      `\ntests of the queue failed for want of a broker: install redis-server or valkey-server, or let set-up bring one (${why}), then "npm run setup" and "npm test"\n`,
    );
  });
}
