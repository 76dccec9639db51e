/**
 * `npm run check`: everything CI looks at, the quickest first, one line each, with a summary at the end.
 * `-- --without-tests`: all but the tests (CI runs those by `npm test`). `-- --json FILE`: the summary as data.
 */
import './check-node.mjs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CommandError, run } from './command.mjs';
import { ensureSetUp, ROOT } from './ensure.mjs';
import { createSteps } from './steps.mjs';

const { values: options } = parseArgs({
  options: { 'without-tests': { type: 'boolean', default: false }, json: { type: 'string' } },
});

const tool = (/** @type {string} */ path) => join(ROOT, 'node_modules', path);

/** @type {readonly (readonly [name: string, ...args: string[]])[]} */
const CHECKS = [
  ['smoke: nesgd --help', join(ROOT, 'apps/coordinator/bin/nesgd.mjs'), '--help'],
  ['format and lint (biome)', tool('@biomejs/biome/bin/biome'), 'ci', '--colors=off', '--error-on-warnings', '.'],
  [
    'import rules (dependency-cruiser)',
    tool('dependency-cruiser/bin/dependency-cruise.mjs'),
    'packages',
    'apps',
    'infra',
    'test',
  ],
  ['types (tsc)', tool('typescript/bin/tsc'), '-b', '--pretty', 'false'],
  ['types of the set-up scripts (tsc)', tool('typescript/bin/tsc'), '-p', 'infra', '--pretty', 'false'],
  ['types of the benchmarks (tsc)', tool('typescript/bin/tsc'), '-p', 'bench', '--pretty', 'false'],
  ['dead code (knip)', tool('knip/bin/knip.js'), '--no-progress', '--treat-config-hints-as-errors'],
  ...(options['without-tests'] ? [] : [/** @type {const} */ (['tests (vitest)', tool('vitest/vitest.mjs'), 'run'])]),
];

await ensureSetUp();
const steps = createSteps(process.stderr, 'check');
/** @type {string[]} */
const failed = [];
for (const [name, ...args] of CHECKS) {
  try {
    await steps.step(name, () => run(process.execPath, args, { cwd: ROOT, env: { ...process.env, NO_COLOR: '1' } }));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    failed.push(name);
    process.stderr.write(`${error.output.trimEnd()}\n`);
    steps.say(`FAILED ${name}`);
  }
}

const passed = CHECKS.length - failed.length;
if (options.json) writeFileSync(options.json, JSON.stringify({ passed, failed: failed.length }));
steps.say(`${passed} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join('; ')}` : ''}`);
process.exitCode = failed.length > 0 ? 1 : 0;
