/**
 * `npm run setup`: sets up what is missing, and tries again what failed lately. Exit code 0: all of it is there.
 * Beside an NVIDIA card, TensorFlow for cards. `-- --gpu`: also where there is none (an image that is built for another
 * machine); `NESGD_DEVICE=cpu`: never.
 */
import './check-node.mjs';
import { parseArgs } from 'node:util';
import { ensureSetUp } from './ensure.mjs';

const { values: options } = parseArgs({ options: { gpu: { type: 'boolean', default: false } } });
if (options.gpu) process.env.NESGD_DEVICE = 'gpu';

const complete = await ensureSetUp({ explicit: true });
process.stderr.write(complete ? 'set-up: complete\n' : 'set-up: complete, but for what is named above\n');
process.exitCode = complete ? 0 : 1;
