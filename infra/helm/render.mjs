/**
 * `node infra/helm/render.mjs`: renders the chart by `helm` for each file of values in cases/ into rendered/, which the
 * tests look at, so that they need no helm. `-- --check`: compares instead of writing, lints the chart, and sees that
 * wrong values are refused. HELM names the program; `go install helm.sh/helm/v3/cmd/helm@v3.19.5` builds one.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chartDigest } from './chart-digest.mjs';

const HELM = process.env.HELM || 'helm';
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const CHART = here('nesgd');
/** A helm that was built by `go install` knows no version of Kubernetes but an old one. */
const KUBERNETES = ['--kube-version', '1.31.0'];

/** Values that helm must refuse, and what it must say. @type {readonly (readonly [string[], RegExp])[]} */
const REFUSALS = [
  [[], /give secret \(16 letters/],
  [['--set', 'secret=short'], /\/secret/],
  [['--set', 'secret=0123456789abcdef,workers.replica=3'], /replica/],
  [['--set', 'secret=0123456789abcdef,workers.mode=jobs'], /keda\/enabled/],
  [['--set', 'secret=0123456789abcdef,workers.gpus=2'], /workers\/gpus/],
  [['--set', 'secret=0123456789abcdef,image.tag=latest'], /image\/tag/],
  [['--set', 'secret=0123456789abcdef,broker.external.host=h'], /give broker.password as well/],
];

/** @param {readonly string[]} args */
function helm(...args) {
  const { error, status, stdout, stderr } = spawnSync(HELM, args, { encoding: 'utf8' });
  if (error) throw new Error(`${HELM} cannot be run (${error.message}): install helm 3, or name it by HELM`);
  return { isDone: status === 0, stdout, stderr };
}

/** @param {string} name of the case */
function rendered(name) {
  const { isDone, stdout, stderr } = helm('template', 'run', CHART, ...KUBERNETES, '--values', here(`cases/${name}`));
  if (!isDone) throw new Error(`${name}: ${stderr}`);
  return `# ${chartDigest(name)}\n${stdout}`;
}

/** @type {string[]} */
const faults = [];
const isCheck = process.argv.includes('--check');
for (const name of readdirSync(here('cases'))) {
  const text = rendered(name);
  if (!isCheck) writeFileSync(here(`rendered/${name}`), text);
  else if (readFileSync(here(`rendered/${name}`), 'utf8') !== text)
    faults.push(`rendered/${name} is not what helm renders`);
}
if (isCheck) {
  const lint = helm('lint', '--strict', CHART, '--values', here('cases/own-broker.yaml'));
  if (!lint.isDone) faults.push(lint.stdout);
  for (const [args, says] of REFUSALS) {
    const { isDone, stderr } = helm('template', 'run', CHART, ...KUBERNETES, ...args);
    if (isDone || !says.test(stderr)) faults.push(`${args.join(' ')} is not refused with ${says}: ${stderr}`);
  }
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exitCode = faults.length === 0 ? 0 : 1;
