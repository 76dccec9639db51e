import { usesAlpha } from '@nesgd/core/methods';
import { type ModelSpec, trainingMemoryBytes } from '@nesgd/core/models';
import type { Runtime } from '@nesgd/core/protocol';
import type { Experiment } from '@nesgd/core/run';
import { type Room, recommendedWorkers } from '@nesgd/core/trainer';
import { plural } from './display/format.js';
import type { Watch } from './run-events.js';
import { workloadOf } from './workload.js';

/** What is asked of the workers. */
export interface Work {
  readonly experiment: Experiment;
  readonly runtime: Runtime;
  readonly spec: ModelSpec;
  /** Training images of one epoch. */
  readonly trainImages: number;
}

/**
 * As many as cores and memory feed and as there are networks to train at once. Where that leaves half of the cores idle, it
 * says what would use them.
 */
export function workersFor({ experiment, runtime, spec, trainImages }: Work, watch: Watch, room?: Room): number {
  const { alpha, retrain, method } = experiment;
  const { threads, engine } = runtime;
  const ofRetraining = retrain && usesAlpha(method.name) ? retrain.batchSize : 0;
  const batchSize = Math.max(ofRetraining, 'batchSize' in alpha ? alpha.batchSize : 0);
  const fed = recommendedWorkers({ threads, memoryBytes: trainingMemoryBytes(spec, batchSize) }, room);
  const byCores = recommendedWorkers({ threads }, room).workers;
  const workload = workloadOf(experiment, trainImages);
  const atOnce = Math.max(1, Math.min(workload.atOnce, workload.evaluations));
  const workers = Math.min(fed.workers, atOnce);
  const say = (why: string) => watch({ type: 'notice', text: `${plural(workers, 'worker')}: ${why}` });
  const each = Math.floor(byCores / workers);
  if (fed.workers < Math.min(byCores, atOnce)) say(`${fed.reason}; --workers overrides it`);
  else if (each > 1 && engine !== 'wasm') {
    const idle = (byCores - workers) * threads;
    const left = `${plural(idle, 'core')} ${idle === 1 ? 'is' : 'are'} left idle`;
    say(`no more networks are trained at once, and ${left}; in a new run runtime.threads: ${each * threads} uses more`);
  }
  return workers;
}
