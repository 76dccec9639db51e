import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMPLETE_FILE } from './complete.js';
import { findBrokerBinary } from './find-broker.js';
import { runtimeLayout } from './layout.js';

describe('findBrokerBinary', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const program = (path: string, mode = 0o755) => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, mode);
    return path;
  };
  const provision = (size = '#!/bin/sh\n'.length) => {
    const { valkey } = runtimeLayout(folder);
    const path = program(join(valkey, 'valkey-server'));
    writeFileSync(join(valkey, COMPLETE_FILE), JSON.stringify({ 'valkey-server': size }));
    return path;
  };
  const find = (...path: string[]) => findBrokerBinary(folder, { PATH: path.join(':') });

  it('redis-server on the PATH goes before valkey-server, and both before the provisioned one', () => {
    provision();
    const valkey = program(join(folder, 'first', 'valkey-server'));
    expect(find(join(folder, 'first'), join(folder, 'second'))).toBe(valkey);
    const redis = program(join(folder, 'second', 'redis-server'));
    expect(find(join(folder, 'first'), join(folder, 'second'))).toBe(redis);
  });

  it('takes the provisioned one where the PATH has none', () => {
    const provisioned = provision();
    expect(find(folder)).toBe(provisioned);
  });

  it('neither a folder nor a file that may not be executed counts', () => {
    program(join(folder, 'first', 'redis-server'), 0o644);
    mkdirSync(join(folder, 'second', 'redis-server'), { recursive: true });
    expect(find(join(folder, 'first'), join(folder, 'second'))).toBeUndefined();
  });

  it('a provisioned one that was cut short counts as absent', () => {
    provision(3_705_912);
    expect(find(folder)).toBeUndefined();
  });
});
