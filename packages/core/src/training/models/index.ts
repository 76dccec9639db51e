import type { ModelSettings } from '../../protocol/training-settings.js';
import { DENSENETS, densenet } from './densenet.js';
import { DPN92, dpn } from './dpn.js';
import { FRACTALNET, fractalnet } from './fractalnet.js';
import { NIN, nin } from './nin.js';
import { RESNETS, resnet } from './resnet.js';
import { type BlockSpec, blocksOf, type ImageShape, type ModelSpec } from './spec.js';

export { forwardMultiplyAdds, trainingFlops } from './flops.js';
export { trainingMemoryBytes } from './memory.js';
export * from './spec.js';

/**
 * The network that an experiment names, for images of `[H, W, C]`.
 * @throws ImageSizeError where the images are too small for it.
 */
export function modelSpec(name: ModelSettings['name'], inputShape: ImageShape, classes: number): ModelSpec {
  switch (name) {
    case 'densenet100':
    case 'densenet121':
      return densenet(name, DENSENETS[name], inputShape, classes);
    case 'dpn92':
      return dpn(name, DPN92, inputShape, classes);
    case 'nin':
      return nin(name, NIN, inputShape, classes);
    case 'fractalnet':
      return fractalnet(name, FRACTALNET, inputShape, classes);
    default:
      return resnet(name, RESNETS[name], inputShape, classes);
  }
}

/** What the bits of a mask stand for, in order; their number is the genome's length n. */
export function blockNames(model: ModelSettings, inputShape: ImageShape, classes: number): BlockSpec[] {
  return blocksOf(modelSpec(model.name, inputShape, classes), model.granularity);
}
