import type { ModelSettings } from '../../protocol/training-settings.js';
import { RESNETS, resnet } from './resnet.js';
import { type BlockSpec, blocksOf, type ImageShape, type ModelSpec } from './spec.js';

export * from './spec.js';

/** The network that an experiment names, for images of `[H, W, C]`. */
export function modelSpec(name: ModelSettings['name'], inputShape: ImageShape, classes: number): ModelSpec {
  return resnet(name, RESNETS[name], inputShape, classes);
}

/** What the bits of a mask stand for, in order; their number is the genome's length n. */
export function blockNames(model: ModelSettings, inputShape: ImageShape, classes: number): BlockSpec[] {
  return blocksOf(modelSpec(model.name, inputShape, classes), model.granularity);
}
