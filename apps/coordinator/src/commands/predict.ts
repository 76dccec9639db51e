import { type ImageShape, imageReader } from '@nesgd/core/datasets';
import { cacheFolder } from '@nesgd/core/storage';
import { TrainerProcess } from '@nesgd/core/trainer';
import { chooseRuntime } from '../choose-runtime.js';
import type { CoordinatorConfig } from '../config.js';
import { type ChosenNetwork, chosenNetwork, type Which } from '../network/chosen-network.js';

export interface PredictOptions {
  readonly runs: string;
  readonly which: Which;
  readonly engine: string;
  /** Classes to name for each image. */
  readonly top: number;
}

/** What `nesgd predict --json` prints. */
export interface PredictSummary {
  readonly runId: string;
  readonly which: Which;
  /** Library, version and device. */
  readonly engine: string;
  readonly predictions: readonly Prediction[];
}

export interface Prediction {
  readonly image: string;
  /** The likeliest first. */
  readonly classes: readonly { readonly index: number; readonly name: string; readonly probability: number }[];
}

/**
 * `nesgd predict RUN IMAGE...`: what a run's network takes images for.
 * @throws InputError for a run without such a network and for the first image that cannot be read or decoded.
 */
export async function predict(
  runId: string,
  images: readonly string[],
  options: PredictOptions,
  config: CoordinatorConfig,
): Promise<PredictSummary> {
  const { which } = options;
  const network = await chosenNetwork(options.runs, runId, which, cacheFolder(config.cacheRoot));
  const read = await imageReader([...network.spec.inputShape] as ImageShape);
  const pixels: Uint8Array[] = [];
  for (const image of images) pixels.push(await read(image));
  const { threads } = network.opened.runtime;
  const wanted = { engine: options.engine, threads, precision: 'float32', device: 'cpu' } as const;
  const runtime = await chooseRuntime(wanted, config, () => {});
  // Of its own, as in training: TensorFlow.js never comes into this process.
  const trainer = await TrainerProcess.start({ runtime, cacheRoot: config.cacheRoot });
  try {
    const logits = await trainer.infer({
      model: network.opened.experiment.model.name,
      imageShape: [...network.spec.inputShape],
      classes: network.spec.classes,
      weights: network.path,
      normalisation: network.normalisation,
      images: Buffer.concat(pixels).toString('base64'),
    });
    const predictions = images.map((image, i) => ({ image, classes: likeliest(logits[i]!, network, options.top) }));
    return { runId, which, engine: trainer.engine, predictions };
  } finally {
    await trainer.stop();
  }
}

function likeliest(logits: readonly number[], { opened }: ChosenNetwork, top: number): Prediction['classes'] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest)); // Softmax, safe from overflow.
  const sum = powers.reduce((a, b) => a + b);
  return powers
    .map((power, index) => ({ index, name: opened.classNames[index]!, probability: power / sum }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

/** For people: each image, and below it its classes. */
export function predictionLines({ predictions }: PredictSummary): string[] {
  return predictions.flatMap(({ image, classes }) => [
    image,
    ...classes.map(({ name, probability }) => `  ${probability.toFixed(4)}  ${name}`),
  ]);
}
