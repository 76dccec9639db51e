/** `npm test [-- <vitest arguments>]`: sets up what is missing, then runs the tests, all or those of the given paths. */
import './check-node.mjs';
import { ensureSetUp, ROOT } from './ensure.mjs';

await ensureSetUp();
process.chdir(ROOT);
process.argv = [process.execPath, 'vitest', 'run', ...process.argv.slice(2)];
await import(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url).href);
