import type { StreamPath } from '../datasets/index.js';
import { NesgdError } from '../errors.js';
import { maskFromString } from '../evolution/individual.js';
import { computedOn } from '../machine/index.js';
import {
  type AlphaJob,
  describeRuntime,
  type EvaluateJob,
  type Job,
  type JobResult,
  type MeasureJob,
  meansOf,
  type RecombineJob,
  type Runtime,
  sameRuntime,
  type TrainJob,
} from '../protocol/index.js';
import { type CacheFolder, keyOnProcessor, type Snapshot, SnapshotStore, trainingKey } from '../storage/index.js';
import { initialWeights, trainAlpha } from './alpha.js';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { createEngine, type Engine } from './engine/index.js';
import { accuracyOf } from './evaluate.js';
import { JobSnapshots } from './job-snapshots.js';
import { type ModelSpec, modelSpec } from './models/index.js';
import { Network } from './network.js';
import { recombine } from './recombine.js';
import { retrain } from './retrain.js';
import { type Trained, train, type Watch } from './train.js';
import { imagesOf, openTrainingData, type TrainingData } from './training-data.js';
import type { Weights } from './weights.js';

export interface ExecutorOptions {
  /** A process keeps what it began with. */
  readonly runtime: Runtime;
  /** Where data sets and weights are found by hash, and results and snapshots are stored. */
  readonly cache: CacheFolder;
  /** See JobSnapshots; 0: a training keeps none, and uses none. */
  readonly snapshotEpochs?: number | undefined;
}

/** Who follows a job. */
export interface JobWatch extends Omit<Watch, 'snapshots'> {
  /** The state of its training has been kept. */
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  /** Something went otherwise than it should, without changing the result. */
  readonly onNotice?: (text: string) => void;
}

/** @throws EngineUnavailableError where the engine cannot run here. */
export async function createExecutor({ runtime, cache, snapshotEpochs }: ExecutorOptions): Promise<Executor> {
  const engine = await createEngine(runtime.engine, runtime.threads, meansOf(runtime));
  return new Executor(engine, runtime, cache, snapshotEpochs);
}

/**
 * Does jobs, one at a time. The result is a function of the job alone (given the runtime, which a job names):
 * what is kept between jobs - the data set, alpha, the network's place on the engine - only saves time.
 */
export class Executor {
  #data: Kept<TrainingData> | undefined;
  #weights: Kept<Weights> | undefined;
  #network: Kept<Network> | undefined;

  constructor(
    readonly engine: Engine,
    readonly runtime: Runtime,
    readonly cache: CacheFolder,
    readonly snapshotEpochs?: number,
  ) {}

  /** Library, version, device and threads, as results quote it. */
  get engineName(): string {
    return this.engine.description;
  }

  /**
   * @throws NesgdError where the cache folder lacks what the job names or its training leads nowhere, InputError where
   * the job cannot be done as it is; the signal's reason once it is aborted. The executor stays usable.
   */
  async execute(job: Job, watch: JobWatch = {}): Promise<JobResult> {
    if (!sameRuntime(job.runtime, this.runtime)) {
      throw new NesgdError(
        'WRONG_RUNTIME',
        `the job wants ${describeRuntime(job.runtime)}, this trainer is ${describeRuntime(this.runtime)}`,
        true,
      );
    }
    const data = await this.#dataOf(job);
    const network = this.#networkOf(modelSpec(job.model.name, data.imageShape, data.classes));
    try {
      const snapshots = await this.#snapshotsOf(job, network.spec, watch);
      return await this.#work(job, data, network, { ...watch, ...(snapshots && { snapshots }) });
    } catch (error) {
      // Whoever replaces the file must not meet the old one still open.
      if (error instanceof NesgdError && error.code === 'DATASET_CORRUPT') this.#closeData();
      throw error;
    }
  }

  dispose(): void {
    this.#network?.value.dispose();
    this.#network = undefined;
    this.#closeData();
  }

  #work(job: Job, data: TrainingData, network: Network, watch: Watch): Promise<JobResult> {
    switch (job.kind) {
      case 'alpha':
        return this.#alpha(job, data, network, watch);
      case 'evaluate':
        return this.#evaluate(job, data, network, watch);
      case 'measure':
        return this.#measure(job, data, network, watch);
      case 'train':
        return this.#train(job, data, network, watch);
      case 'recombine':
        return this.#recombine(job, data, network, watch);
    }
  }

  async #alpha(job: AlphaJob, data: TrainingData, network: Network, watch: Watch): Promise<JobResult> {
    const stream: StreamPath = [job.seed, 'alpha'];
    const trained = await trainAlpha(
      network,
      { data, stream, settings: job.training, measureOn: job.measureOn },
      watch,
    );
    return { ...factsOf(trained), weights: await this.#store(network, data) };
  }

  async #evaluate(job: EvaluateJob, data: TrainingData, network: Network, watch: Watch): Promise<JobResult> {
    const trained = await retrain(
      network,
      {
        data,
        alpha: await this.#weightsOf(job.alpha, network.spec),
        mask: maskFromString(job.mask),
        granularity: job.model.granularity,
        settings: job.training,
        stream: [job.seed, 'retrain', job.mask, job.repeat],
        measureOn: job.measureOn,
        ...(job.stopBelow && { stopBelow: job.stopBelow }),
        ...(job.part && { until: job.part.until }),
      },
      watch,
    );
    const leads = job.keepWeightsAbove === null || trained.accuracy > job.keepWeightsAbove;
    const epochs = job.part?.from ?? 0;
    const facts = factsOf(trained, { epochs, images: epochs * data.partition.train.length });
    return { ...facts, weights: leads && !trained.diverged ? await this.#store(network, data) : null };
  }

  async #measure(job: MeasureJob, data: TrainingData, network: Network, watch: Watch): Promise<JobResult> {
    network.load(await this.#weightsOf(job.weights, network.spec));
    const { source, indices } = imagesOf(data, job.measureOn);
    const accuracy = await accuracyOf(network, source, indices, watch);
    return { accuracy, curve: [], weights: null, imagesTrained: 0 };
  }

  async #train(job: TrainJob, data: TrainingData, network: Network, watch: Watch): Promise<JobResult> {
    const stream: StreamPath = [job.seed, 'train', job.stream];
    const { weights, training } = job;
    const initial = () => initialWeights(network.spec, [job.seed, 'train', job.initialStream ?? job.stream]);
    network.load(weights ? await this.#weightsOf(weights, network.spec) : initial());
    const learningRates = () => training.learningRate;
    const trained = await train(
      network,
      { data, stream, settings: training, measureOn: job.measureOn, learningRates },
      watch,
    );
    const leads = job.keepWeightsAbove === null || trained.accuracy > job.keepWeightsAbove;
    return { ...factsOf(trained), weights: leads && !trained.diverged ? await this.#store(network, data) : null };
  }

  async #recombine(job: RecombineJob, data: TrainingData, network: Network, watch: Watch): Promise<JobResult> {
    const parents: Weights[] = [];
    for (const sha256 of job.parents) parents.push(await this.#weightsOf(sha256, network.spec));
    network.load(recombine(network.spec, parents, job.noise, [job.seed, 'recombine', job.stream]));
    const { source, indices } = imagesOf(data, job.measureOn);
    const accuracy = await accuracyOf(network, source, indices, watch);
    return { accuracy, curve: [], weights: await this.#store(network, data), imagesTrained: 0 };
  }

  async #snapshotsOf(job: Job, spec: ModelSpec, watch: JobWatch): Promise<JobSnapshots | undefined> {
    const inParts = job.kind === 'evaluate' && job.part !== undefined;
    if (!('training' in job) || (this.snapshotEpochs === 0 && !inParts)) return undefined;
    return JobSnapshots.open({
      store: new SnapshotStore(this.cache),
      blobs: this.cache.blobs,
      name: keyOnProcessor(trainingKey(job), computedOn(job.runtime)),
      spec,
      everyEpochs: this.snapshotEpochs,
      onKept: watch.onSnapshot,
      onNotice: watch.onNotice,
    });
  }

  #store(network: Network, { meaning }: TrainingData): Promise<string> {
    return this.cache.blobs.put(writeCheckpoint(network.spec, network.weights(), meaning));
  }

  async #dataOf({ data, seed }: Job): Promise<TrainingData> {
    const key = JSON.stringify([data, seed]);
    if (this.#data?.key !== key) {
      this.#closeData();
      this.#data = { key, value: await openTrainingData(data, seed, this.cache.datasets) };
    }
    return this.#data.value;
  }

  #closeData(): void {
    this.#data?.value.close();
    this.#data = undefined;
  }

  async #weightsOf(sha256: string, spec: ModelSpec): Promise<Weights> {
    const key = JSON.stringify([sha256, spec.name, spec.inputShape, spec.classes]);
    if (this.#weights?.key !== key) {
      const file = await this.cache.blobs.get(sha256);
      this.#weights = { key, value: readCheckpoint(file, spec, this.cache.blobs.path(sha256)) };
    }
    return this.#weights.value;
  }

  /** A network whose parameters are whatever the last job left: every job loads its own. */
  #networkOf(spec: ModelSpec): Network {
    const key = JSON.stringify([spec.name, spec.inputShape, spec.classes]);
    if (this.#network?.key !== key) {
      this.#network?.value.dispose();
      this.#network = undefined;
      this.#network = { key, value: new Network(this.engine, spec) };
    }
    return this.#network.value;
  }
}

/** The last value made, and what it was made for. */
interface Kept<T> {
  readonly key: string;
  readonly value: T;
}

/** Without what is an earlier job's: whether that was trained again, for want of a snapshot, makes no difference. */
function factsOf({ accuracy, curve, imagesTrained }: Trained, earlier = { epochs: 0, images: 0 }) {
  return { accuracy, curve: curve.slice(earlier.epochs), imagesTrained: Math.max(0, imagesTrained - earlier.images) };
}
