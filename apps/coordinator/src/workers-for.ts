import { usesAlpha } from '@nesgd/core/methods';
import { type ModelSpec, trainingMemoryBytes } from '@nesgd/core/models';
import type { Experiment } from '@nesgd/core/run';
import { recommendedWorkers } from '@nesgd/core/trainer';
import type { Watch } from './run-events.js';

/** As many as cores and memory feed; fewer than there are cores for is said, with the reason. */
export function workersFor(
  { alpha, retrain, method }: Experiment,
  threads: number,
  spec: ModelSpec,
  watch: Watch,
): number {
  const ofRetraining = retrain && usesAlpha(method.name) ? retrain.batchSize : 0;
  const batchSize = Math.max(ofRetraining, 'batchSize' in alpha ? alpha.batchSize : 0);
  const { workers, reason } = recommendedWorkers({ threads, memoryBytes: trainingMemoryBytes(spec, batchSize) });
  if (workers < recommendedWorkers({ threads }).workers) {
    watch({
      type: 'notice',
      text: `${workers} ${workers === 1 ? 'worker' : 'workers'}: ${reason}; --workers overrides it`,
    });
  }
  return workers;
}
