/**
 * `npm start [-- <nesgd arguments>]`: sets up what is missing, then is the command line `nesgd`; without arguments it
 * runs experiments/quickstart.yaml.
 *
 * The command line runs in this process, not in a child: signals reach it directly, its exit code is ours, and
 * killing this process kills it.
 */
import './check-node.mjs';
import { join } from 'node:path';
import { ensureSetUp, ROOT } from './ensure.mjs';

const args = process.argv.slice(2);
await ensureSetUp();
process.argv = [
  process.execPath,
  join(ROOT, 'apps/coordinator/bin/nesgd.mjs'),
  ...(args.length > 0 ? args : ['run', 'experiments/quickstart.yaml']),
];
await import('../../apps/coordinator/bin/nesgd.mjs');
