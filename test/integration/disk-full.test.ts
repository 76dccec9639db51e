import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalFacts, Journal, readJournal } from '@nesgd/core/run';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { idxFiles, writeFiles } from '../../packages/core/src/datasets/test-support.js';
import { MAIN, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** A limit on the size of files (`ulimit -f`, in KiB) stands for a full disk: a write ends in the middle, with an error. */
let workplace: Workplace;
beforeAll(async () => {
  workplace = await Workplace.create();
});
afterAll(() => workplace.destroy());

async function limited(kib: number, args: readonly string[]) {
  const child = spawn('bash', ['-c', `ulimit -f ${kib}; exec "$0" "$@"`, process.execPath, ...args], {
    cwd: workplace.folder,
    env: workplace.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = await once(child, 'close');
  return { code: code as number, stderr };
}

it('a journal that cannot be written says so, and every fact before counts', async () => {
  const path = join(workplace.folder, 'journal.jsonl');
  const script = `
    import { Journal } from ${JSON.stringify(fileURLToPath(import.meta.resolve('@nesgd/core/run')))};
    const journal = await Journal.open(${JSON.stringify(path)});
    try {
      for (;;) await journal.append({ type: 'failed', mask: '0'.repeat(200), repeat: 0 });
    } catch (error) {
      process.stderr.write(error.code + ' ' + error.message + ' / ');
      await journal.append({ type: 'failed', mask: '1', repeat: 0 }).catch((later) => process.stderr.write(later.code));
    }`;
  const { stderr } = await limited(2, ['--input-type=module', '-e', script]);
  expect(stderr).toMatch(/^JOURNAL_WRITE the journal .* cannot be written: there is no space left .* JOURNAL_WRITE$/s);
  const journal = await Journal.open(path);
  expect(journal.lines.length).toBeGreaterThan(3);
  await journal.append({ type: 'failed', mask: '1', repeat: 0 });
  await journal.close();
  expect((await readJournal(path)).lines.at(-1)?.fact).toEqual({ type: 'failed', mask: '1', repeat: 0 });
});

it('a run without space for weights ends with 1 and says why; with space again it goes on to the same facts', async () => {
  const experiment = await writeExperiment(
    join(workplace.folder, 'tiny.yaml'),
    tinyExperiment({ evolution: { populationSize: 3, generations: 1 } }),
  );
  const factsOf = async (id: string) =>
    canonicalFacts((await readJournal(join(workplace.runs, id, 'journal.jsonl'))).lines);
  await workplace.start(['run', experiment, '--run-id', 'r', '--workers', '1', '--json']).summary();
  const undisturbed = await factsOf('r');
  // Again under the same name, and with the data set and alpha there; the leader's weights are what is too large.
  await rm(join(workplace.runs, 'r'), { recursive: true });

  const args = ['--workers', '1', '--broker', 'local'];
  const { code, stderr } = await limited(100, [MAIN, 'run', experiment, '--run-id', 'r', ...args]);
  expect(stderr).toMatch(/nesgd: the cache folder has no space left .*EFBIG.*: free some, or name another/);
  expect(code).toBe(1);
  await workplace.start(['resume', 'r', ...args, '--json']).summary();
  expect(await factsOf('r')).toEqual(undisturbed);
});

it('a data set without space to pack it says so, and leaves nothing half-written', async () => {
  const labels = Array.from({ length: 2000 }, (_, i) => i % 2);
  await writeFiles(join(workplace.folder, 'idx'), idxFiles(labels, [0, 1], 10));
  const { code, stderr } = await limited(100, [MAIN, 'data', 'pack', 'idx']);
  expect(stderr).toMatch(
    /nesgd: there is no space left in .*datasets to pack the data set .*name another cache folder/,
  );
  expect(code).toBe(1);
  const datasets = join(workplace.folder, 'cache/datasets');
  expect((await readdir(datasets)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect(await workplace.start(['data', 'pack', 'idx', '--json']).summary()).toMatchObject({ train: 2000 });
});
