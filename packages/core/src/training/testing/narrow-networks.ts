import { DENSENETS, densenet } from '../models/densenet.js';
import { dpn } from '../models/dpn.js';
import { fractalnet } from '../models/fractalnet.js';
import type { ImageShape, ModelSpec } from '../models/index.js';
import { nin } from '../models/nin.js';
import { resnet } from '../models/resnet.js';
import { type Fixture, readFixture } from './fixture.js';

export interface Narrow {
  readonly channels: number;
  readonly classes: number;
  /** Height; where there is no other `width`, that too. */
  readonly size: number;
  readonly width?: number;
  readonly batches: number;
  readonly batchSize: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** One a step. */
  readonly learningRates: readonly number[];
  /** How far PyTorch's own float32 is from its float64, as a part of a tensor's largest value: of each kind the worst. */
  readonly float32: Readonly<
    Record<'evalLogits' | 'loss' | 'gradient' | 'losses' | 'trained' | 'trainedEvalLogits', number>
  >;
}

/** A network of PyTorch's, narrow, and ours of the same numbers. */
export interface NarrowNetwork {
  readonly fixture: Fixture<Narrow>;
  readonly spec: ModelSpec;
}

function narrow<Config>(
  name: string,
  build: (config: Config & Narrow, inputShape: ImageShape, classes: number) => ModelSpec,
): [string, NarrowNetwork] {
  const fixture = readFixture<Config & Narrow>(`narrow-${name}`);
  const { config } = fixture;
  const { size: height, width = height, channels, classes } = config;
  return [name, { fixture, spec: build(config, [height, width, channels], classes) }];
}

type Build<Config> = Parameters<typeof narrow<Config>>[1];

interface NarrowResNet {
  readonly widths: readonly number[];
  readonly blocks: readonly number[];
}

interface NarrowNin {
  readonly kernels: readonly number[];
  readonly widths: readonly (readonly number[])[];
}

interface NarrowDenseNet {
  readonly stem: number;
  readonly growth: number;
  readonly layers: readonly number[];
}

interface NarrowDpn {
  readonly stem: number;
  readonly groups: number;
  readonly inner: readonly number[];
  readonly residual: readonly number[];
  readonly dense: readonly number[];
  readonly blocks: readonly number[];
}

const narrowResNet: Build<NarrowResNet> = (config, ...shape) =>
  resnet('narrow', { ...config, weightInit: 'kaimingNormal' }, ...shape);

const narrowNin: Build<NarrowNin> = ({ kernels, widths }, ...shape) => {
  // The last layer's channels are the classes.
  const channels = (b: number) => (b < kernels.length - 1 ? widths[b]! : widths[b]!.slice(0, -1));
  const blocks = kernels.map((kernel, b) => ({ kernel, channels: channels(b) }));
  return nin('narrow', { blocks, pools: ['maxPool', 'avgPool'], dropout: 0.5 }, ...shape);
};

/** One of each family of networks, two of them on other images as well; the fixtures have what PyTorch makes of them. */
export const NARROW_NETWORKS: readonly [string, NarrowNetwork][] = [
  narrow('resnet', narrowResNet),
  narrow<NarrowDenseNet>('densenet-bc', ({ stem, growth, layers }, ...shape) =>
    densenet('narrow', { ...DENSENETS.densenet121, stem, growth, layers }, ...shape),
  ),
  narrow<NarrowDenseNet>('densenet-plain', ({ stem, growth, layers }, ...shape) =>
    densenet('narrow', { ...DENSENETS.densenet100, stem, growth, layers }, ...shape),
  ),
  narrow<NarrowDpn>('dpn', (config, ...shape) => dpn('narrow', config, ...shape)),
  narrow('nin', narrowNin),
  narrow<{ readonly columns: number; readonly widths: readonly number[] }>('fractalnet', (config, ...shape) =>
    fractalnet('narrow', config, ...shape),
  ),
  narrow('resnet-grey', narrowResNet),
  narrow('nin-grey', narrowNin),
];
