import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cpuQuota, usableCores } from './cores.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const V1 = '4:memory:/box\n2:cpu,cpuacct:/box/one\n';

it.each([
  ['without control groups', {}, Infinity],
  ['version 2, no limit', { 'proc/self/cgroup': '0::/box', 'sys/fs/cgroup/box/cpu.max': 'max 100000' }, Infinity],
  ['version 2, a limit', { 'proc/self/cgroup': '0::/box', 'sys/fs/cgroup/box/cpu.max': '150000 100000' }, 1.5],
  [
    'version 2, a tighter limit of an outer group',
    {
      'proc/self/cgroup': '0::/a/b',
      'sys/fs/cgroup/a/cpu.max': '200000 100000',
      'sys/fs/cgroup/a/b/cpu.max': '800000 100000',
    },
    2,
  ],
  ['version 2, in a container', { 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.max': '300000 100000' }, 3],
  [
    'version 1, a limit',
    {
      'proc/self/cgroup': V1,
      'sys/fs/cgroup/cpu/box/one/cpu.cfs_quota_us': '50000',
      'sys/fs/cgroup/cpu/box/one/cpu.cfs_period_us': '100000',
    },
    0.5,
  ],
  [
    'version 1, no limit',
    {
      'proc/self/cgroup': V1,
      'sys/fs/cgroup/cpu/box/one/cpu.cfs_quota_us': '-1',
      'sys/fs/cgroup/cpu/box/one/cpu.cfs_period_us': '100000',
    },
    Infinity,
  ],
  [
    'version 1, in a container whose path on the machine is not seen inside',
    {
      'proc/self/cgroup': V1,
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '250000',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    },
    2.5,
  ],
] as const)('cpu quota %s', (_case, files, cores) => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  expect(cpuQuota(root)).toBe(cores);
});

it('usable cores: at least one, at most those this process may run on', () => {
  expect(usableCores()).toBeGreaterThanOrEqual(1);
  expect(usableCores()).toBeLessThanOrEqual(availableParallelism());
});
