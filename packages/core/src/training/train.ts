import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import { batchesOf, checkBatchSize, epochAugmentation, epochOrder, type StreamPath } from '../datasets/index.js';
import { UnwantedJobError } from '../errors.js';
import { type Rng, rngAt } from '../evolution/rng.js';
import type { EpochRecord, Progress, Retraining } from '../protocol/index.js';
import { averagedEpochs } from '../protocol/index.js';
import { accuracyOf } from './evaluate.js';
import type { Network } from './network.js';
import { learningRateFactor } from './schedule.js';
import { type LearningRates, Sgd } from './sgd.js';
import { batchOf, imagesOf, type SplitName, type TrainingData } from './training-data.js';
import type { Course, TrainingState } from './training-state.js';
import { meanWith, takeStatistics } from './weight-average.js';
import { allFinite } from './weights.js';

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
  /** Stops after this epoch, in a state to go on from; left out: after the last. The schedule is the whole training's. */
  readonly until?: number;
  /** The split of the result's and the curve's accuracies. */
  readonly measureOn: SplitName;
}

/** Where the state of a training is kept while it goes on. */
export interface Snapshots {
  /** What an earlier attempt of this training left. */
  readonly from?: TrainingState | undefined;
  /** Whether the state after this epoch is worth keeping. */
  due(epoch: number): boolean;
  keep(state: TrainingState): Promise<void>;
}

export interface Watch {
  readonly onProgress?: (progress: Progress) => void;
  /** Called after each batch, in training and in measuring: a training that calls nothing for long hangs. */
  readonly onStep?: () => void;
  /** Aborting ends the training at its next step; unless the reason is an UnwantedJobError its state is kept. */
  readonly signal?: AbortSignal;
  readonly snapshots?: Snapshots;
}

export interface Trained {
  /** Of the weights that the network now has, on the split asked for. The curve's are of each epoch's own weights. */
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
 * none, on the split that is measured. With `averageLast` the result is the mean of the weights at the ends of the last
 * epochs (Izmailov et al. 2018), unless the training is ended before the last of them. Every epoch sees every training image once; the last batch may be smaller.
 *
 * With a snapshot it goes on where that was taken, also amid an epoch, to the bits of a training that nothing disturbed.
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
  const sgd = new Sgd(network, settings, training.learningRates);
  const course: Course = {
    steps: 0,
    lossSum: 0,
    images: 0,
    imagesTrained: 0,
    curve: [],
    best: undefined,
    average: undefined,
  };
  const { curve } = course;
  const until = training.until ?? settings.epochs;
  const { snapshots, signal } = watch;
  const state = (): TrainingState => ({
    ...course,
    curve: [...curve],
    weights: network.weights(),
    velocities: sgd.velocities(),
  });
  try {
    if (snapshots?.from && isWithin(snapshots.from, until)) goOn(network, sgd, course, snapshots.from);
    while (curve.length < until) {
      const epoch = curve.length + 1;
      const imagesBefore = course.images;
      const started = performance.now();
      await trainEpoch(network, sgd, training, course, watch);
      const seconds = (performance.now() - started) / 1000;
      const loss = course.lossSum / course.images;
      if (!Number.isFinite(loss)) {
        curve.push({ epoch, trainLoss: null, accuracy: null });
        break;
      }
      const accuracy = await measure(measureOn);
      if (settings.weights === 'best') {
        const chosenBy = chooseOn === measureOn ? accuracy : await measure(chooseOn);
        if (!course.best || chosenBy > course.best.chosenBy) {
          course.best = { weights: network.weights(), chosenBy, accuracy };
        }
      }
      if (epoch > settings.epochs - averagedEpochs(settings, settings.epochs)) {
        course.average = meanWith(course.average, network.weights());
      }
      const imagesPerSecond = (course.images - imagesBefore) / seconds;
      curve.push({ epoch, trainLoss: loss, accuracy });
      course.lossSum = 0;
      course.images = 0;
      watch.onProgress?.({ epoch, epochs: settings.epochs, trainLoss: loss, accuracy, imagesPerSecond });
      if (training.stopBelow?.some((rung) => rung.epoch === epoch && accuracy < rung.accuracy)) break;
      if (epoch < until && snapshots?.due(epoch)) await snapshots.keep(state());
    }
    if (curve.length < settings.epochs && curve.length === until && course.images === 0) await snapshots?.keep(state());
  } catch (error) {
    const wanted = signal?.aborted && !(signal.reason instanceof UnwantedJobError);
    if (wanted && course.steps > 0 && Number.isFinite(course.lossSum)) await snapshots?.keep(state());
    throw error;
  } finally {
    sgd.dispose();
  }
  const { best, average } = course;
  if (best) network.load(best.weights);
  const isWhole = curve.length === settings.epochs && curve.at(-1)?.trainLoss !== null;
  let averaged: number | undefined;
  if (average && isWhole) {
    network.load(average.weights);
    course.imagesTrained += await takeStatistics(network, training, watch);
    averaged = await measure(measureOn);
  }
  return {
    accuracy: averaged ?? best?.accuracy ?? curve.at(-1)?.accuracy ?? (await measure(measureOn)),
    curve,
    imagesTrained: course.imagesTrained,
    // A last step may go astray without any loss to show it.
    diverged: !allFinite(network.weights()),
  };
}

/** A state may be further than was asked for: of a later part of the same training. */
function isWithin({ curve, images }: TrainingState, until: number): boolean {
  return curve.length < until || (curve.length === until && images === 0);
}

/** Puts everything where an earlier attempt left it. */
function goOn(network: Network, sgd: Sgd, course: Course, from: TrainingState): void {
  const { weights, velocities, curve, ...numbers } = from;
  network.load(weights);
  sgd.load(velocities);
  Object.assign(course, numbers);
  course.curve.push(...curve);
}

/** Does what is left of the epoch under way, until its end or until the loss of a batch is not finite. */
async function trainEpoch(
  network: Network,
  sgd: Sgd,
  { data, settings, stream }: Training,
  course: Course,
  { signal, onStep }: Watch,
): Promise<void> {
  const epoch = course.curve.length + 1;
  const order = epochOrder(data.partition.train, stream, epoch);
  const augmentation = epochAugmentation(data.augmentation, stream, epoch);
  const stepsPerEpoch = Math.ceil(order.length / settings.batchSize);
  const done = course.steps - (epoch - 1) * stepsPerEpoch;
  for (const batch of batchesOf(order.subarray(done * settings.batchSize), settings.batchSize)) {
    // Training blocks this thread; messages are read between steps.
    await turnOfTheEventLoop();
    signal?.throwIfAborted();
    const { pixels, labels } = batchOf(data.train, batch, augmentation);
    course.lossSum += trainStep(
      network,
      sgd,
      pixels,
      labels,
      learningRateFactor(settings, course.steps, stepsPerEpoch * settings.epochs),
      rngAt(...stream, 'dropout', course.steps),
    );
    course.images += batch.length;
    course.imagesTrained += batch.length;
    course.steps++;
    onStep?.();
    if (!Number.isFinite(course.lossSum)) break;
  }
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
