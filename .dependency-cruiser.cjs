/**
 * Imports go one way (docs/decisions/0035-import-rules-on-sources.md): what stands on the left may import what stands on
 * the right, and nothing else of ours. Tests may import what they like.
 */
const CORE_LAYERS = {
  evolution: [],
  methods: [],
  protocol: [],
  storage: [],
  machine: [],
  tracing: [],
  datasets: ['evolution', 'protocol', 'storage'],
  training: ['evolution', 'datasets', 'protocol', 'storage', 'machine'],
  transfer: ['datasets', 'protocol', 'storage'],
  baselines: ['evolution'],
  run: ['evolution', 'methods', 'datasets', 'protocol', 'storage', 'baselines'],
  view: ['methods', 'protocol', 'run'],
  trainer: ['training', 'protocol', 'storage', 'machine', 'tracing'],
  bench: ['evolution', 'training', 'trainer', 'protocol', 'storage'],
  runtime: ['trainer', 'protocol', 'storage', 'machine'],
};
const APPS = ['coordinator', 'worker', 'dashboard'];
const NOT_TESTS = '[.]test[.]ts$';
const TENSORFLOW = 'node_modules/@tensorflow/';

const layerRules = Object.entries(CORE_LAYERS).map(([layer, below]) => ({
  name: `core-${layer}`,
  severity: 'error',
  comment: `packages/core/src/${layer} may import ${['itself', 'errors.ts', 'edition.ts', ...below].join(', ')} of ours`,
  from: { path: `^packages/core/src/${layer}/`, pathNot: NOT_TESTS },
  to: {
    path: '^(packages|apps|infra|test)/',
    pathNot: `^packages/core/src/((errors|edition)[.]ts$|(${[layer, ...below].join('|')})/)`,
  },
}));

const appRules = APPS.map((app) => ({
  name: `app-${app}`,
  severity: 'error',
  comment: 'apps meet through the queue and the protocol, never by import',
  from: { path: `^apps/${app}/` },
  to: { path: '^apps/', pathNot: `^apps/${app}/` },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    ...appRules,
    {
      name: 'core-imports-no-app',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^apps/' },
    },
    {
      name: 'dashboard-runs-in-browsers',
      severity: 'error',
      comment: 'of the core the page takes evolution and methods, which are pure; of the rest types only',
      from: { path: '^apps/dashboard/src/', pathNot: NOT_TESTS },
      to: {
        path: '^packages/core/src/',
        pathNot: '^packages/core/src/(evolution|methods)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'evolution-is-pure',
      severity: 'error',
      comment: 'no I/O, no clock, no tensors: pure-rand is the only thing evolution takes from elsewhere',
      from: { path: '^packages/core/src/evolution/', pathNot: NOT_TESTS },
      to: { dependencyTypesNot: ['local'], pathNot: ['node_modules/pure-rand/', '^packages/core/src/errors[.]ts$'] },
    },
    {
      name: 'tensorflow-in-training-only',
      severity: 'error',
      comment: 'everything else trains through the Engine seam',
      from: { pathNot: ['^packages/core/src/training/', '^test/', 'node_modules/'] },
      to: { path: TENSORFLOW },
    },
    {
      name: 'coordinator-without-tensorflow',
      severity: 'error',
      comment: 'not through any chain of imports: the coordinator stays small and responsive, whatever training does',
      from: { path: '^apps/coordinator/src/main[.]ts$' },
      to: { path: TENSORFLOW, reachable: true },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      comment: 'a rule about a path that does not resolve would hold for nothing',
      from: {},
      to: { couldNotResolve: true, pathNot: 'packages/core/dist/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages/[^/]+|apps/[^/]+|test)/dist/' }, // Not dist/ anywhere: TensorFlow.js lives in one.,
    tsPreCompilationDeps: true,
    webpackConfig: { fileName: 'infra/imports/resolve.cjs' },
  },
};
