import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

/** What the Compose files promise, read from them. infra/compose-check.sh builds and runs them. */
interface Service {
  readonly image: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly deploy?: {
    readonly replicas?: string;
    readonly resources?: { readonly reservations: { readonly devices: readonly Record<string, unknown>[] } };
  };
  readonly [key: string]: unknown;
}

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const services = (path: string): Record<string, Service> => parse(read(path), { merge: true }).services;

const FILES = ['docker-compose.yml', 'docker-compose.gpu.yml', 'docker-compose.open.yml', 'infra/worker.compose.yml'];
const main = services('docker-compose.yml');
const gpu = services('docker-compose.gpu.yml');
const elsewhere = services('infra/worker.compose.yml');
/** Services that stand whole in their file. */
const whole = Object.entries({ ...main, 'worker-gpu-0': gpu['worker-gpu-0'], 'worker elsewhere': elsewhere.worker });

it.each(whole)('%s has no rights that it does not need, a health check, and time to end', (_, service) => {
  expect(service).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    restart: 'unless-stopped',
    stop_grace_period: expect.stringMatching(/^(30|60)s$/),
  });
  expect(service?.healthcheck?.test.length).toBeGreaterThan(1);
  expect(service?.image).not.toMatch(/:latest$/);
});

it('the health checks ask what does the work: broker and trainer of a worker, dashboard and broker of the coordinator', () => {
  for (const worker of [main.worker, gpu['worker-gpu-0'], elsewhere.worker]) {
    expect(worker?.healthcheck?.test).toEqual(['CMD', 'node', 'apps/worker/dist/health/check.js']);
    expect(worker?.environment?.NESGD_HEALTH_FILE).toBe('/tmp/nesgd-health.json');
  }
  expect(main.coordinator?.healthcheck?.test.at(-1)).toContain('/readyz');
  expect(main.broker?.healthcheck?.test.at(-1)).toMatch(/ping \| grep -q PONG/);
});

it('a drained worker stays so: its container would be started again', () => {
  const alone = ['worker', '--stay-drained'];
  for (const worker of [main.worker, elsewhere.worker]) expect(worker?.command).toEqual(alone);
  const perDevice = expect.stringMatching(/^\$\{NESGD_WORKERS_PER_DEVICE:-1\}$/);
  const onCard = [...alone, '--device', 'gpu', '--workers-per-device', perDevice];
  expect(gpu['worker-gpu-0']?.command).toEqual(onCard);
  expect(main.coordinator?.command).toEqual(expect.arrayContaining(['--or-resume', '--serve']));
});

it('the broker keeps what it is told, drops nothing, and wants a password that no list of processes shows', () => {
  const script = main.broker?.command?.at(-1) ?? '';
  for (const line of ['appendonly yes', 'maxmemory-policy noeviction', 'requirepass $$NESGD_SECRET'])
    expect(script.split('\n')).toContain(line);
  expect(script).toMatch(/^exec valkey-server - <<END\n/);
  expect(main.broker).toMatchObject({ user: 'valkey', volumes: ['broker:/data'] });
  expect(main.broker?.ports).toBeUndefined();
});

it('nothing is open beyond this machine, but by docker-compose.open.yml at the address that is named', () => {
  const ports = Object.values(main).flatMap((service) => service.ports ?? []);
  expect(ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:\$\{NESGD_DASHBOARD_PORT:-7380\}:7380$/)]);
  const open = Object.values(services('docker-compose.open.yml')).flatMap((service) => service.ports ?? []);
  expect(open).toHaveLength(2);
  for (const port of open) expect(port).toMatch(/^\$\{NESGD_ADDRESS:\?[^}]+\}:(6379|7300):/);
});

it.each(FILES)('%s has no secret of its own: without one Compose refuses', (path) => {
  const text = read(path);
  expect(text).not.toMatch(/NESGD_SECRET:-/);
  expect(text.match(/\$\{NESGD_SECRET(?!:\?)/g)).toBeNull();
});

it('each card has a service of its own, as replicas of one would share a card', () => {
  const cards = Object.entries(gpu).filter(([name]) => name.startsWith('worker-gpu-'));
  expect(cards.length).toBeGreaterThan(0);
  for (const [name, { deploy }] of cards) {
    expect(deploy?.replicas).toBeUndefined();
    expect(deploy?.resources?.reservations.devices).toEqual([
      { driver: 'nvidia', device_ids: [name.slice('worker-gpu-'.length)], capabilities: ['gpu'] },
    ]);
  }
});

it('with cards, runs are for cards, and differ in nothing else', () => {
  const [given = [], without = []] = [gpu, main].map(({ coordinator }) => coordinator?.command);
  expect(given.filter((word) => word !== '--device' && word !== 'gpu')).toEqual(without);
  expect(given).toContain('--device');
});

it('a worker elsewhere is given broker, coordinator and secret, and no folder of another machine', () => {
  const required = [...read('infra/worker.compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
  expect([...new Set(required)].sort()).toEqual(['NESGD_BROKER', 'NESGD_COORDINATOR', 'NESGD_SECRET']);
  expect(elsewhere.worker?.volumes).toEqual(['cache:/var/lib/nesgd/cache']);
});

it('.env.example explains each setting of the Compose files, and none that they do not have', () => {
  const used = FILES.flatMap((path) => [...read(path).matchAll(/[^$]\$\{(NESGD_\w+)/g)].map(([, name]) => name));
  const example = read('.env.example').split('# Outside of containers')[0] ?? '';
  const explained = [...example.matchAll(/^#?(NESGD_\w+)=/gm)].map(([, name]) => name);
  expect([...new Set(explained)].sort()).toEqual([...new Set(used)].sort());
  for (const block of example.split('\n\n').filter((text) => /^#?NESGD_/m.test(text))) expect(block).toMatch(/^# \w/);
});

it('the images are built on one that is pinned to its last digit, in stages, and do not run as root', () => {
  const dockerfile = read('infra/docker/Dockerfile');
  expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:\d+\.\d+\.\d+-/m);
  expect(dockerfile.match(/^FROM /gm)).toHaveLength(2);
  expect(dockerfile.slice(dockerfile.lastIndexOf('FROM'))).toMatch(/^USER nesgd$/m);
  expect(main.broker?.image).toMatch(/^valkey\/valkey:\d+\.\d+\.\d+/);
});
