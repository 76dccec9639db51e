import { writeCheckpoint } from '@nesgd/core/checkpoint';
import { graphModelFiles } from '@nesgd/core/export';
import type { ChosenNetwork } from './chosen-network.js';
import { networkMetadata } from './network-metadata.js';

/** A network's files of one format. @returns paths below the export folder, in the order in which to write them. */
type NetworkFormat = (network: ChosenNetwork) => ReadonlyMap<string, Uint8Array>;

/** `best.safetensors`: the run's own weights under PyTorch's names, and everything that is known of them. */
export const safetensorsFiles: NetworkFormat = (network) => {
  const { spec, weights, opened, which, normalisation } = network;
  // The format has only texts: those that are none are JSON.
  const more = Object.fromEntries(
    Object.entries(networkMetadata(network)).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  const meaning = { classNames: opened.classNames, normalisation };
  return new Map([[`${which}.safetensors`, writeCheckpoint(spec, weights, meaning, more)]]);
};

/** `best-tfjs/`: `model.json` last, so that a folder with one is whole. */
export const tfjsFiles: NetworkFormat = (network) => {
  const files = [...graphModelFiles(network, { ...networkMetadata(network) })].reverse();
  return new Map(files.map(([name, bytes]) => [`${network.which}-tfjs/${name}`, bytes]));
};
