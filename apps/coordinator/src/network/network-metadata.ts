import type { ChosenNetwork } from './chosen-network.js';

/** What goes with an exported network: enough to use it without the run that it comes from. Accuracies in [0, 1]. */
export interface NetworkMetadata {
  readonly run: string;
  readonly experiment: string;
  readonly which: string;
  readonly method: string;
  /** `[H, W, C]` */
  readonly input_shape: readonly number[];
  readonly model_name: string;
  readonly granularity: string;
  /** One bit a block, in the order of `blocks`; null where none was applied. */
  readonly mask: string | null;
  readonly blocks: readonly string[];
  readonly class_names: readonly string[];
  /** Of each channel, in units where white is 1. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly fitness_split: string;
  readonly fitness_accuracy: number;
  readonly test_accuracy: number | null;
  readonly dataset: string;
  readonly dataset_sha256: string;
  readonly seed: number;
  readonly engine: string;
  /** Of the run's own safetensors file. */
  readonly weights_sha256: string;
}

export function networkMetadata(network: ChosenNetwork): NetworkMetadata {
  const { opened, which, spec, normalisation } = network;
  const { experiment, runtime, data } = opened;
  return {
    run: opened.runId,
    experiment: experiment.name,
    which,
    method: experiment.method.name,
    input_shape: spec.inputShape,
    model_name: experiment.model.name,
    granularity: experiment.model.granularity,
    mask: network.mask,
    blocks: opened.blocks.map(({ name }) => name),
    class_names: opened.classNames,
    mean: normalisation.mean,
    std: normalisation.std,
    fitness_split: experiment.fitness,
    fitness_accuracy: network.accuracy,
    test_accuracy: network.testAccuracy,
    dataset: experiment.dataset.name,
    dataset_sha256: data.dataset,
    seed: experiment.seed,
    engine: runtime.engine,
    weights_sha256: network.sha256,
  };
}
