/** `npm run setup`: sets up what is missing, and tries again what failed lately. Exit code 0: all of it is there. */
import './check-node.mjs';
import { ensureSetUp } from './ensure.mjs';

const complete = await ensureSetUp({ explicit: true });
process.stderr.write(complete ? 'set-up: complete\n' : 'set-up: complete, but for what is named above\n');
process.exitCode = complete ? 0 : 1;
