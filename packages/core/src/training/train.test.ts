import { describe, expect, it } from 'vitest';
import { InputError, NesgdError, UnwantedJobError } from '../errors.js';
import { trainAlpha } from './alpha.js';
import { writeCheckpoint } from './checkpoint.js';
import { availableEngines, type Engine } from './engine/index.js';
import { accuracyOf } from './evaluate.js';
import { Network } from './network.js';
import { retrain } from './retrain.js';
import { Sgd } from './sgd.js';
import { SETTINGS, spotsData, tinySpec, tinyWeights } from './test-support.js';
import { type Snapshots, train, trainStep } from './train.js';
import { batchOf } from './training-data.js';
import { formatTrainingState, parseTrainingState, type TrainingState } from './training-state.js';

const engines = await availableEngines();
const spec = tinySpec();
const stream = [1, 'train test'] as const;

function networkOn(engine: Engine, weights = tinyWeights(spec)): Network {
  const network = new Network(engine, spec);
  network.load(weights);
  return network;
}

describe.each(engines.map((engine) => [engine.name, engine] as const))('training on %s', (_name, engine) => {
  const data = spotsData(192, 60);
  const base = { data, stream, measureOn: 'validation', learningRates: () => 0.1 } as const;

  it('learns a small task, and the accuracy it gives is that of the network it leaves', async () => {
    const network = networkOn(engine);
    const trained = await train(network, { ...base, settings: { ...SETTINGS, epochs: 8 } });
    expect(trained.accuracy).toBeGreaterThan(0.9);
    expect(trained.curve).toHaveLength(8);
    expect(trained.curve.at(-1)!.trainLoss).toBeLessThan(trained.curve[0]!.trainLoss! / 4);
    expect(trained.imagesTrained).toBe(8 * 192);
    expect(trained.diverged).toBe(false);
    expect(await accuracyOf(network, data.train, data.partition.validation)).toBe(trained.accuracy);
    network.dispose();
  });

  it.each([
    { padCrop: 0, horizontalFlip: false },
    { padCrop: 1, horizontalFlip: true },
  ])(
    'is a function of weights, data and stream: the same again gives the same bits, another stream does not (%o)',
    async (augmentation) => {
      const run = async (name: string) => {
        const network = networkOn(engine);
        const settings = { ...SETTINGS, epochs: 2 };
        const trained = await train(network, { ...base, data: { ...data, augmentation }, settings, stream: [1, name] });
        const weights = network.weights();
        network.dispose();
        return { trained, weights };
      };
      const first = await run('a');
      expect(await run('a')).toEqual(first);
      expect((await run('b')).weights).not.toEqual(first.weights);
    },
  );

  it('stopBelow: ends after an epoch whose accuracy is below, and only there, as the first epochs of the same training', async () => {
    const run = async (stopBelow: { epoch: number; accuracy: number }[]) => {
      const network = networkOn(engine);
      const settings = { ...SETTINGS, epochs: 3 };
      const trained = await train(network, { ...base, settings, stopBelow });
      network.dispose();
      return trained;
    };
    const whole = await run([]);
    const second = whole.curve[1]!.accuracy!;
    expect(await run([{ epoch: 2, accuracy: second }])).toEqual(whole);
    const stopped = await run([{ epoch: 2, accuracy: second + 0.001 }]);
    expect(stopped.curve).toEqual(whole.curve.slice(0, 2));
    expect(stopped).toMatchObject({ accuracy: second, imagesTrained: 2 * 192 });
  });

  it('sees every image once an epoch, also where the last batch is smaller', async () => {
    const network = networkOn(engine);
    const trained = await train(network, { ...base, data: spotsData(50, 9), settings: { ...SETTINGS, epochs: 2 } });
    expect(trained.imagesTrained).toBe(100);
    network.dispose();
  });

  it('weights best: leaves the first epoch of the highest validation accuracy, and gives its accuracy on the split asked for', async () => {
    const settings = { ...SETTINGS, epochs: 6, weights: 'best', schedule: 'constant' } as const;
    const network = networkOn(engine);
    const trained = await train(network, { ...base, settings, learningRates: () => 0.3 });
    const accuracies = trained.curve.map((record) => record.accuracy!);
    expect(trained.accuracy).toBe(Math.max(...accuracies));
    const bestEpoch = accuracies.indexOf(trained.accuracy) + 1;
    expect(bestEpoch).toBeLessThan(6); // Else this test would show nothing.

    // `constant` makes the first epochs of a longer training a shorter one.
    const shorter = networkOn(engine);
    await train(shorter, {
      ...base,
      settings: { ...settings, epochs: bestEpoch, weights: 'last' },
      learningRates: () => 0.3,
    });
    expect(network.weights()).toEqual(shorter.weights());

    // On a split that is best where validation is worst, it is still validation that chooses.
    const opposite = { ...data.train, labels: data.train.labels.map((label) => (label + 1) % 3) };
    const contrary = { ...data, test: opposite, partition: { ...data.partition, test: data.partition.validation } };
    const onTest = networkOn(engine);
    const rates = { learningRates: () => 0.3 };
    const tested = await train(onTest, { ...base, settings, ...rates, data: contrary, measureOn: 'test' });
    expect(onTest.weights()).toEqual(network.weights());
    expect(tested.accuracy).toBe(await accuracyOf(network, opposite, data.partition.validation));
    expect(tested.accuracy).toBeLessThan(Math.max(...tested.curve.map((record) => record.accuracy!)));
    for (const n of [network, shorter, onTest]) n.dispose();
  });

  it('weights best: of epochs with the same accuracy the first', async () => {
    // No weight moves: the accuracy stays, and only running statistics tell the epochs apart.
    const still = { ...base, learningRates: () => 0 };
    const indifferent = new Map(tinyWeights(spec)).set('linear.weight', new Float32Array(18));
    const run = async (epochs: number) => {
      const network = networkOn(engine, indifferent);
      const { curve } = await train(network, { ...still, settings: { ...SETTINGS, epochs, weights: 'best' } });
      const weights = network.weights();
      network.dispose();
      return { accuracies: curve.map((record) => record.accuracy), weights };
    };
    const three = await run(3);
    expect(new Set(three.accuracies).size).toBe(1);
    expect(three.weights).toEqual((await run(1)).weights);
  });

  it('a training that diverges ends at once, says so, and scores 0', async () => {
    const network = networkOn(engine);
    const trained = await train(network, { ...base, settings: { ...SETTINGS, epochs: 50 }, learningRates: () => 1e12 });
    expect(trained.diverged).toBe(true);
    expect(trained.accuracy).toBe(0);
    expect(trained.curve.at(-1)).toEqual({ epoch: trained.curve.length, trainLoss: null, accuracy: null });
    expect(trained.curve.length).toBeLessThan(50);
    expect(trained.imagesTrained).toBeLessThan(trained.curve.length * 192);
    const alpha = trainAlpha(network, {
      data,
      stream,
      measureOn: 'validation',
      settings: { ...SETTINGS, epochs: 50, learningRate: 1e12 },
    });
    await expect(alpha).rejects.toThrow(/diverged in epoch \d+.*smaller alpha\.learningRate than 1000000000000/);
    network.dispose();
  });

  describe('snapshots', () => {
    // Dropout, augmentation, two learning rates, a smaller last batch and the best epoch: all that has a state.
    const augmented = { ...data, augmentation: { padCrop: 1, horizontalFlip: true }, partition: { ...data.partition } };
    augmented.partition.train = data.partition.train.subarray(0, 150);
    const training = {
      ...base,
      data: augmented,
      settings: { ...SETTINGS, epochs: 5, weights: 'best' },
      learningRates: (name: string) => (name.startsWith('layer1') ? 0.1 : 0.03),
    } as const;
    /** @param abortAt the step after which the training is aborted. */
    const run = async (
      from?: TrainingState,
      { due = (_: number): boolean => false, abortAt = 0, reason = new Error('stop'), more = {} } = {},
    ) => {
      const network = networkOn(engine, from && tinyWeights(spec, 7)); // Whatever it had before is replaced.
      const kept: TrainingState[] = [];
      const epochs: number[] = [];
      const controller = new AbortController();
      let steps = 0;
      const snapshots: Snapshots = { from, due, keep: async (state) => void kept.push(state) };
      const settings = { ...training.settings, ...more };
      const trained = await train(
        network,
        { ...training, settings },
        {
          snapshots,
          signal: controller.signal,
          onProgress: ({ epoch }) => epochs.push(epoch),
          onStep: () => ++steps === abortAt && controller.abort(reason),
        },
      ).catch((error) => {
        if (error !== reason) throw error;
      });
      const weights = network.weights();
      network.dispose();
      return { trained, weights, kept, epochs };
    };
    /** As it comes back from a file. */
    const stored = (state: TrainingState) =>
      parseTrainingState(formatTrainingState(spec, 'job', state), spec, 'job', 'test');

    it('a training that goes on from one repeats no epoch before it and comes to the same bits', async () => {
      const whole = await run(undefined, { due: () => true });
      expect(whole.kept.map(({ curve }) => curve.length)).toEqual([1, 2, 3, 4]);
      for (const state of whole.kept) {
        const { trained, weights, epochs } = await run(stored(state));
        expect(epochs).toEqual([1, 2, 3, 4, 5].slice(state.curve.length));
        expect({ trained, weights }).toEqual({ trained: whole.trained, weights: whole.weights });
      }
    });

    it('an average of the last epochs goes on, too', async () => {
      const more = { weights: 'last', averageLast: 3 };
      const whole = await run(undefined, { due: () => true, more });
      expect(whole.kept.map(({ average }) => average?.epochs)).toEqual([undefined, undefined, 1, 2]);
      for (const state of whole.kept) {
        const { trained, weights } = await run(stored(state), { more });
        expect({ trained, weights }).toEqual({ trained: whole.trained, weights: whole.weights });
      }
    });

    it('one that is aborted is kept where it is, amid an epoch or while it is measured, and goes on from there', async () => {
      const whole = await run();
      // An epoch: five steps, and one batch of validation images.
      for (const abortAt of [1, 3, 5, 6, 13]) {
        const { kept, trained } = await run(undefined, { abortAt });
        expect(trained).toBeUndefined();
        expect(kept).toHaveLength(1);
        const again = await run(stored(kept[0]!));
        expect({ trained: again.trained, weights: again.weights }).toEqual({
          trained: whole.trained,
          weights: whole.weights,
        });
      }
    });

    it('nothing is kept of a training that nobody wants any more', async () => {
      const reason = new UnwantedJobError('CANCELLED', 'done elsewhere');
      expect((await run(undefined, { abortAt: 3, reason })).kept).toEqual([]);
    });

    it('the state of another job, of another network and a cut file are refused', async () => {
      const [state] = (await run(undefined, { due: () => true })).kept;
      const file = formatTrainingState(spec, 'job', state!);
      const read = (bytes: Uint8Array, of = spec, job = 'job') => parseTrainingState(bytes, of, job, 'test');
      expect(() => read(file, spec, 'another')).toThrow(
        'test is no usable checkpoint: it is the state of another training',
      );
      expect(() => read(file, tinySpec([8, 8, 1], 4))).toThrow('linear.weight: missing, or of another size');
      expect(() => read(file.subarray(0, -1))).toThrow('cut short');
      expect(() => read(writeCheckpoint(spec, tinyWeights(spec)))).toThrow('does not say how far');
    });
  });

  it('stops at its next step when aborted, with the reason given', async () => {
    const network = networkOn(engine);
    const controller = new AbortController();
    const stopped = new NesgdError('ABORTED', 'stopped');
    let epochs = 0;
    const training = train(
      network,
      { ...base, settings: { ...SETTINGS, epochs: 100 } },
      { signal: controller.signal, onProgress: () => ++epochs === 2 && controller.abort(stopped) },
    );
    await expect(training).rejects.toBe(stopped);
    expect(epochs).toBe(2);

    const untouched = network.weights();
    const signal = AbortSignal.abort(stopped);
    await expect(train(network, { ...base, settings: SETTINGS }, { signal })).rejects.toBe(stopped);
    expect(network.weights()).toEqual(untouched);
    network.dispose();
  });

  it('refuses a batch that the training images do not fill, and a split without images', async () => {
    const network = networkOn(engine);
    const tooLarge = train(network, { ...base, settings: { ...SETTINGS, batchSize: 193 } });
    await expect(tooLarge).rejects.toThrow(InputError);
    const nothing = train(network, { ...base, data: spotsData(64, 0), settings: SETTINGS });
    await expect(nothing).rejects.toThrow(/no validation images/);
    network.dispose();
  });

  it('lets the event loop turn between steps', async () => {
    const network = networkOn(engine);
    let turns = 0;
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    await train(network, { ...base, settings: SETTINGS });
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(6); // 192 images in batches of 32
    network.dispose();
  });

  it('500 steps leave no more tensors than the 10th, and a disposed network none', () => {
    const before = engine.memory().tensors;
    const network = networkOn(engine);
    const sgd = new Sgd(network, SETTINGS, (name) => (name.startsWith('layer1') ? 0.1 : 0.01));
    const { pixels, labels } = batchOf(data.train, data.partition.train.subarray(0, 4));
    let atStep10 = 0;
    for (let step = 1; step <= 500; step++) {
      trainStep(network, sgd, pixels, labels, 0.01);
      if (step === 10) atStep10 = engine.memory().tensors;
    }
    expect(engine.memory().tensors).toBe(atStep10);
    sgd.dispose();
    network.dispose();
    expect(engine.memory().tensors).toBe(before);
  });

  describe('retrain (Eq. 6)', () => {
    const alpha = tinyWeights(spec, 5);
    const settings = { ...SETTINGS, learningRateRetained: 0.01, learningRateReinitialised: 0.1 };
    const request = { data, alpha, granularity: 'block', settings, stream, measureOn: 'validation' } as const;

    it('leaves no tensor behind and alpha as it was', async () => {
      const network = networkOn(engine);
      const copy = new Map(Array.from(alpha, ([name, values]) => [name, values.slice()] as const));
      await retrain(network, { ...request, mask: [1, 0, 1, 0, 1] });
      const before = engine.memory().tensors;
      await retrain(network, { ...request, mask: [0, 1, 1, 0, 1] });
      expect(engine.memory().tensors).toBe(before);
      expect(alpha).toEqual(copy);
      network.dispose();
    });

    it('trains kept blocks with eta0 and fresh ones with eta1', async () => {
      const moved = async (retained: number, reinitialised: number) => {
        const network = networkOn(engine);
        const rates = { learningRateRetained: retained, learningRateReinitialised: reinitialised };
        // One batch, one step: w changes by learningRate x gradient, and the gradient is the same each time.
        const one = {
          ...settings,
          ...rates,
          momentum: 0,
          weightDecay: 0,
          schedule: 'constant',
          batchSize: 192,
        } as const;
        await retrain(network, { ...request, mask: [1, 0, 1, 1, 1], settings: one });
        const weights = network.weights();
        network.dispose();
        return weights;
      };
      const still = await moved(1e-30, 2e-30);
      const first = await moved(0.01, 0.02);
      const second = await moved(0.03, 0.08);
      const step = (after: typeof still, name: string) => after.get(name)!.map((w, i) => w - still.get(name)![i]!);
      const ratio = (name: string) => {
        const [a, b] = [step(first, name), step(second, name)];
        return a.reduce((sum, v, i) => sum + v * b[i]!, 0) / a.reduce((sum, v) => sum + v * v, 0);
      };
      expect(ratio('conv1.weight')).toBeCloseTo(3, 3);
      expect(ratio('linear.weight')).toBeCloseTo(3, 3);
      expect(ratio('layer1.0.conv1.weight')).toBeCloseTo(4, 3);
      expect(ratio('layer1.0.bn2.bias')).toBeCloseTo(4, 3);
    });
  });
});
