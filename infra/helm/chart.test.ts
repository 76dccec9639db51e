import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { QUEUE_NAME, QUEUE_PREFIX } from '@nesgd/core/protocol';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { ConfigMap, Secret, Service } from 'kubernetes-models/v1';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { chartDigest } from './chart-digest.mjs';

/**
 * The Helm chart as helm rendered it (infra/helm/rendered; CI has helm compare): each object against the schemas of
 * Kubernetes and KEDA, and what it promises.
 */
const here = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string) => readFileSync(here(path), 'utf8');

/** By kind: its class, whose `validate` throws, and the module with the type that knows each key. */
const KINDS = {
  ConfigMap: [ConfigMap, 'kubernetes-models/v1'],
  Deployment: [Deployment, 'kubernetes-models/apps/v1'],
  ScaledJob: [keda.ScaledJob, '@kubernetes-models/keda/keda.sh/v1alpha1'],
  ScaledObject: [keda.ScaledObject, '@kubernetes-models/keda/keda.sh/v1alpha1'],
  Secret: [Secret, 'kubernetes-models/v1'],
  Service: [Service, 'kubernetes-models/v1'],
  StatefulSet: [StatefulSet, 'kubernetes-models/apps/v1'],
  TriggerAuthentication: [keda.TriggerAuthentication, '@kubernetes-models/keda/keda.sh/v1alpha1'],
} as const;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly resources: { readonly limits?: Readonly<Record<string, unknown>> };
  readonly [key: string]: unknown;
}
interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly [Container]; readonly [key: string]: unknown };
}
interface Rendered {
  readonly kind: keyof typeof KINDS;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template?: Pod;
    readonly jobTargetRef?: { readonly template: Pod };
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly [key: string]: unknown;
  };
}

const objectsOf = (name: string): Rendered[] =>
  parseAllDocuments(read(`infra/helm/rendered/${name}`))
    .map((document) => document.toJS())
    .filter((object) => object !== null);

const CASES = readdirSync(here('infra/helm/cases'));
const all = CASES.flatMap((name) => objectsOf(name).map((object) => [name, object.kind, object] as const));
const podOf = ({ spec }: Rendered): Pod | undefined => spec?.template ?? spec?.jobTargetRef?.template;
const pods = all.flatMap(([name, kind, object]) => {
  const pod = podOf(object);
  return pod ? [[name, kind, pod] as const] : [];
});
const find = (name: string, kind: string, end = '') =>
  objectsOf(name).find((object) => object.kind === kind && object.metadata.name.endsWith(end)) as Rendered;

it.each(CASES)('%s was rendered from the chart and the values as they are now', (name) => {
  expect(read(`infra/helm/rendered/${name}`).split('\n')[0]).toBe(`# ${chartDigest(name)}`);
});

it.each(all)('%s: %s is what the schemas of Kubernetes and KEDA want', (_, kind, object) => {
  const [Model] = KINDS[kind];
  new Model(object as never).validate();
});

it('no object has a key that Kubernetes and KEDA do not know', () => {
  const source = all
    .map(
      ([, kind, object], i) => `export const _${i}: import('${KINDS[kind][1]}').I${kind} = ${JSON.stringify(object)};`,
    )
    .join('\n');
  expect(typeFaults(source)).toEqual([]);
  expect(typeFaults(source.replace('"terminationGracePeriodSeconds"', '"terminationGrace"'))).not.toEqual([]);
});

/** What TypeScript says of a file of this folder, which knows excess keys in literals. */
function typeFaults(source: string): string[] {
  const path = here('infra/helm/rendered.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => file === path || fileExists(file);
  host.getSourceFile = (file, ...more) =>
    file === path ? ts.createSourceFile(file, source, ts.ScriptTarget.ES2022) : getSourceFile(file, ...more);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('pods', () => {
  it.each(pods)('%s: those of a %s have no rights, an end that they may take time for, and probes', (_, __, pod) => {
    expect(pod.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(60);
    const [container] = pod.spec.containers;
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      readinessProbe: {},
      livenessProbe: {},
      resources: { requests: {} },
    });
    for (const [name, value] of container.env.map((variable) => [variable.name, variable.value] as const))
      if (/SECRET|PASSWORD/.test(name)) expect(value).toBeUndefined();
  });

  it('are found by the selectors of what they belong to, and no others', () => {
    for (const [name, kind, object] of all) {
      const selector = kind === 'Service' ? object.spec.selector : object.spec?.selector?.matchLabels;
      if (!selector) continue;
      const found = pods.filter(
        ([of, , pod]) =>
          of === name &&
          Object.entries(selector).every(([key, value]) => pod.metadata.labels[key] === (value as unknown as string)),
      );
      expect([name, object.metadata.name, found.length]).toEqual([name, object.metadata.name, 1]);
    }
  });
});

it('the worker is alive while it answers itself, and ready while its broker and trainer do', () => {
  const [worker] = podOf(find('own-broker.yaml', 'Deployment'))?.spec.containers ?? [];
  const check = ['node', 'apps/worker/dist/health/check.js'];
  expect(worker).toMatchObject({
    // Drained it would be started again, and take jobs.
    args: ['worker', '--stay-drained'],
    readinessProbe: { exec: { command: check } },
    livenessProbe: { exec: { command: [...check, '--alive'] } },
  });
});

it('a worker with a card is given one', () => {
  for (const object of [find('scaled-gpus.yaml', 'Deployment'), find('scaled-jobs.yaml', 'ScaledJob')])
    expect(podOf(object)?.spec.containers[0].resources.limits).toMatchObject({ 'nvidia.com/gpu': 1 });
});

it("KEDA counts BullMQ's lists of this queue: what waits and what is being done", () => {
  for (const object of [find('scaled-gpus.yaml', 'ScaledObject'), find('scaled-jobs.yaml', 'ScaledJob')]) {
    const triggers = object.spec.triggers as { metadata: { listName: string } }[];
    expect(triggers.map(({ metadata }) => metadata.listName).sort()).toEqual(
      ['active', 'prioritized', 'wait'].map((list) => `${QUEUE_PREFIX}:${QUEUE_NAME}:${list}`),
    );
  }
  expect(find('scaled-gpus.yaml', 'ScaledObject').spec.advanced).toMatchObject({
    scalingModifiers: { formula: 'waiting + prioritized + active', target: '1' },
  });
  expect(find('scaled-jobs.yaml', 'ScaledJob').spec.scalingStrategy).toEqual({
    strategy: 'default',
    multipleScalersCalculation: 'sum',
  });
});

it('KEDA alone says how many workers there are where it scales a Deployment', () => {
  expect(find('own-broker.yaml', 'Deployment').spec.replicas).toBe(2);
  expect(find('scaled-gpus.yaml', 'Deployment').spec).not.toHaveProperty('replicas');
});

it('a pod of a scaled job does one job and ends, and does not wait on its card for ever', () => {
  const pod = podOf(find('scaled-jobs.yaml', 'ScaledJob'));
  expect(pod?.spec.containers[0].args).toEqual(['worker', '--jobs', '1', '--idle', '120']);
  expect(pod?.spec.restartPolicy).toBe('Never');
});

it('a broker and a Secret of others are used as they are, and none are made', () => {
  const kinds = objectsOf('scaled-jobs.yaml').map(({ kind }) => kind);
  expect(kinds).not.toContain('Secret');
  expect(kinds.filter((kind) => kind === 'StatefulSet')).toHaveLength(1);
  const env = podOf(find('scaled-jobs.yaml', 'ScaledJob'))?.spec.containers[0].env;
  expect(env?.find(({ name }) => name === 'REDIS_URL')?.value).toBe(
    'rediss://nesgd:$(BROKER_PASSWORD)@redis.example:6380',
  );
});

it('the coordinator goes on with its run wherever it is started', () => {
  const [{ args }] = podOf(find('scaled-gpus.yaml', 'StatefulSet', 'coordinator'))?.spec.containers ?? [{ args: [] }];
  expect(args?.join(' ')).toMatch(/^run \/experiment\/experiment.yaml --run-id cifar --or-resume --workers 0 /);
  const config = find('scaled-gpus.yaml', 'ConfigMap') as unknown as { data: { 'experiment.yaml': string } };
  expect(parse(config.data['experiment.yaml'])).toMatchObject({ name: 'cifar', model: { name: 'resnet18' } });
});

it("the chart's own broker keeps what it is told and drops nothing", () => {
  const script = podOf(find('own-broker.yaml', 'StatefulSet', 'broker'))?.spec.containers[0].command?.at(-1);
  expect(script).toMatch(/^exec valkey-server - <<END\n.*appendonly yes\n.*noeviction\nrequirepass \$BROKER_PASSWORD/s);
});
