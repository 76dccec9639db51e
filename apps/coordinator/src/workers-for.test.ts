import { modelSpec } from '@nesgd/core/models';
import { parseExperiment } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from './run-events.js';
import { workersFor } from './workers-for.js';

const spec = modelSpec('resnet8', [28, 28, 1], 10);
const machine = (cores: number, memoryGb = 64) => ({ cores, memoryBytes: memoryGb * 1e9 });

/** @returns the workers, and what is said about them. */
function staffed(changes: object, room: ReturnType<typeof machine>, threads = 1, engine = 'tensorflow' as const) {
  const experiment = parseExperiment(
    {
      name: 'x',
      seed: 1,
      dataset: { name: 'mnist' },
      model: { name: 'resnet8' },
      alpha: { epochs: 1, learningRate: 0.1, batchSize: 64 },
      retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1, batchSize: 64 },
      evolution: { populationSize: 5 },
      ...changes,
    },
    'x.yaml',
  );
  const said: string[] = [];
  const watch = (event: RunEvent) => {
    if (event.type === 'notice') said.push(event.text);
  };
  const workers = workersFor({ experiment, runtime: { engine, threads }, spec, trainImages: 1000 }, watch, room);
  return { workers, said };
}

describe('workers of a run', () => {
  it('are as many as there are cores for their threads', () => {
    expect(staffed({}, machine(2))).toEqual({ workers: 2, said: [] });
    expect(staffed({}, machine(8), 2)).toEqual({ workers: 4, said: [] });
  });

  it('are no more than networks are trained at once; idle cores are said where threads could use them', () => {
    expect(staffed({}, machine(8))).toEqual({ workers: 5, said: [] });
    expect(staffed({}, machine(16))).toEqual({
      workers: 5,
      said: [
        '5 workers: no more networks are trained at once, and 11 cores are left idle; in a new run runtime.threads: 3 uses more',
      ],
    });
    const once = { method: { name: 'sgd', sgd: { repeats: 1 } } };
    expect(staffed(once, machine(2))).toMatchObject({
      workers: 1,
      said: [expect.stringMatching(/1 core is left idle.*runtime.threads: 2/)],
    });
  });

  it('are no more than memory holds, which is said', () => {
    const { workers, said } = staffed({}, machine(16, 1));
    expect(workers).toBe(2);
    expect(said).toEqual([expect.stringMatching(/^2 workers: 1.0 GB of memory to spare, .*--workers overrides it$/)]);
  });
});
