import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import { batchesOf, checkBatchSize, epochAugmentation, epochOrder, type StreamPath } from '../datasets/index.js';
import { type Rng, rngAt } from '../evolution/rng.js';
import type { EpochRecord, Progress, Retraining } from '../protocol/index.js';
import { accuracyOf } from './evaluate.js';
import type { Network } from './network.js';
import { learningRateFactor } from './schedule.js';
import { type LearningRates, Sgd } from './sgd.js';
import { batchOf, imagesOf, type SplitName, type TrainingData } from './training-data.js';
import { allFinite, type Weights } from './weights.js';

/** What alpha's training and a retraining have in common. */
export type OptimisationSettings = Omit<Retraining, 'learningRateRetained' | 'learningRateReinitialised'>;

export interface Training {
  readonly data: TrainingData;
  readonly settings: OptimisationSettings;
  readonly learningRates: LearningRates;
  /** Names the random draws of this training: order of images, augmentation and what dropout drops. */
  readonly stream: StreamPath;
  /** Ends the training after such an epoch where its accuracy on that split is below. */
  readonly stopBelow?: readonly { readonly epoch: number; readonly accuracy: number }[];
  /** The split of the result's and the curve's accuracies. */
  readonly measureOn: SplitName;
}

export interface Watch {
  readonly onProgress?: (progress: Progress) => void;
  /** Called after each batch, in training and in measuring: a training that calls nothing for long hangs. */
  readonly onStep?: () => void;
  /** Aborting ends the training at its next step. */
  readonly signal?: AbortSignal;
}

export interface Trained {
  /** Of the weights that the network now has, on the split asked for. */
  readonly accuracy: number;
  readonly curve: EpochRecord[];
  readonly imagesTrained: number;
  /** Not all of those weights are finite numbers: the accuracy is what they give, and they are not worth storing. */
  readonly diverged: boolean;
}

/**
 * Trains a network in place, from the weights it has, and leaves in it those of the last epoch, or of the best one.
 * Where the loss stops being a number the training ends: no later step could mend it.
 *
 * The best epoch is the one with the highest accuracy on the validation images (the first of several); where there are
 * none, on the split that is measured. Every epoch sees every training image once; the last batch may be smaller.
 * @throws the signal's reason once it is aborted; InputError where the split has no image or fills no batch.
 */
export async function train(network: Network, training: Training, watch: Watch = {}): Promise<Trained> {
  const { data, settings, measureOn } = training;
  checkBatchSize(settings.batchSize, data.partition.train.length);
  const chooseOn: SplitName = data.partition.validation.length > 0 ? 'validation' : measureOn;
  const measure = (split: SplitName) => {
    const { source, indices } = imagesOf(data, split);
    return accuracyOf(network, source, indices, watch);
  };
  const curve: EpochRecord[] = [];
  let imagesTrained = 0;
  let best: { weights: Weights; chosenBy: number; accuracy: number } | undefined;

  const sgd = new Sgd(network, settings, training.learningRates);
  try {
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      const started = performance.now();
      const { loss, images } = await trainEpoch(network, sgd, training, epoch, watch);
      const seconds = (performance.now() - started) / 1000;
      imagesTrained += images;
      if (!Number.isFinite(loss)) {
        curve.push({ epoch, trainLoss: null, accuracy: null });
        break;
      }
      const accuracy = await measure(measureOn);
      curve.push({ epoch, trainLoss: loss, accuracy });
      if (settings.weights === 'best') {
        const chosenBy = chooseOn === measureOn ? accuracy : await measure(chooseOn);
        if (!best || chosenBy > best.chosenBy) best = { weights: network.weights(), chosenBy, accuracy };
      }
      watch.onProgress?.({
        epoch,
        epochs: settings.epochs,
        trainLoss: loss,
        accuracy,
        imagesPerSecond: images / seconds,
      });
      if (training.stopBelow?.some((rung) => rung.epoch === epoch && accuracy < rung.accuracy)) break;
    }
  } finally {
    sgd.dispose();
  }
  if (best) network.load(best.weights);
  return {
    accuracy: best?.accuracy ?? curve.at(-1)?.accuracy ?? (await measure(measureOn)),
    curve,
    imagesTrained,
    // A last step may go astray without any loss to show it.
    diverged: !allFinite(network.weights()),
  };
}

/** @returns the mean loss of the epoch's images; not finite as soon as that of one batch is not. */
async function trainEpoch(
  network: Network,
  sgd: Sgd,
  { data, settings, stream }: Training,
  epoch: number,
  { signal, onStep }: Watch,
): Promise<{ loss: number; images: number }> {
  const order = epochOrder(data.partition.train, stream, epoch);
  const augmentation = epochAugmentation(data.augmentation, stream, epoch);
  const stepsPerEpoch = Math.ceil(order.length / settings.batchSize);
  let step = (epoch - 1) * stepsPerEpoch;
  let lossSum = 0;
  let images = 0;
  for (const batch of batchesOf(order, settings.batchSize)) {
    // Training blocks this thread; messages are read between steps.
    await turnOfTheEventLoop();
    signal?.throwIfAborted();
    const { pixels, labels } = batchOf(data.train, batch, augmentation);
    lossSum += trainStep(
      network,
      sgd,
      pixels,
      labels,
      learningRateFactor(settings, step, stepsPerEpoch * settings.epochs),
      rngAt(...stream, 'dropout', step),
    );
    images += batch.length;
    step++;
    onStep?.();
    if (!Number.isFinite(lossSum)) break;
  }
  return { loss: lossSum / images, images };
}

/**
 * One step of SGD on one batch.
 * @param pixels `[N, H, W, C]`
 * @param labels `[N]`
 * @param rng draws what dropout drops; without it nothing is.
 * @returns the summed loss of the batch's images before the step.
 */
export function trainStep(
  network: Network,
  sgd: Sgd,
  pixels: Float32Array,
  labels: Int32Array,
  learningRateFactor: number,
  rng?: Rng,
): number {
  const { engine, spec } = network;
  const x = engine.tensor(pixels, [labels.length, ...spec.inputShape]);
  const y = engine.labels(labels);
  const { loss, gradients } = network.gradients(x, y, rng);
  const losses = engine.read(loss);
  sgd.step(gradients, learningRateFactor);
  for (const tensor of [x, y, loss, ...gradients]) tensor.dispose();
  return losses.reduce((sum, value) => sum + value, 0);
}
