import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Cores that this process may keep busy: those it may run on (`taskset`, cpusets), or fewer where a control group
 * limits its time (`docker run --cpus`, Kubernetes limits), which Node 20 does not look at.
 */
export function usableCores(): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), cpuQuota())));
}

/**
 * Cores' worth of time that the control groups around this process give it; Infinity where they do not limit it.
 * @param root where /proc and /sys are; a test has its own.
 */
export function cpuQuota(root = '/'): number {
  const groups = readText(join(root, 'proc/self/cgroup')).split('\n');
  const quotas = groups.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    // Version 2 has one hierarchy without a name, version 1 one for each controller.
    if (controllers === '') return quotasAbove(join(root, 'sys/fs/cgroup'), path, quotaOfVersion2);
    if (controllers?.split(',').includes('cpu'))
      return quotasAbove(join(root, 'sys/fs/cgroup/cpu'), path, quotaOfVersion1);
    return [];
  });
  return Math.min(Infinity, ...quotas);
}

/** A limit of an outer group holds for the inner ones. A container sees its own group as the root of all. */
function quotasAbove(mount: string, path: string, read: (folder: string) => number): number[] {
  const quotas = [read(mount)];
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) {
    if (existsSync(join(mount, at))) quotas.push(read(join(mount, at)));
  }
  return quotas;
}

/** `cpu.max`: "150000 100000" are 1.5 cores, "max 100000" no limit. */
function quotaOfVersion2(folder: string): number {
  const [quota, period] = readText(join(folder, 'cpu.max')).trim().split(' ').map(Number);
  return share(quota, period);
}

/** -1 is no limit. */
function quotaOfVersion1(folder: string): number {
  return share(
    Number(readText(join(folder, 'cpu.cfs_quota_us')) || -1),
    Number(readText(join(folder, 'cpu.cfs_period_us'))),
  );
}

const share = (quota = Number.NaN, period = Number.NaN) => (quota > 0 && period > 0 ? quota / period : Infinity);

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // Another system, or no such controller.
  }
}
