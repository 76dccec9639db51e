import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { readRun } from '@nesgd/core/run';
import { cacheFolder, writeFileAtomically } from '@nesgd/core/storage';
import type { CoordinatorConfig } from '../config.js';
import { type ChosenNetwork, chosenNetwork, type Which } from '../network/chosen-network.js';
import { safetensorsFiles, tfjsFiles } from '../network/export-files.js';
import { tensorBoardFiles } from '../tensorboard/run-events.js';
import type { EXPORT_FORMATS } from './export-formats.js';

export interface ExportOptions {
  readonly runs: string;
  readonly which: Which;
  /** Default: every format of a network. */
  readonly format?: (typeof EXPORT_FORMATS)[number];
  /** Default: `export` in the run's folder. */
  readonly out?: string;
}

/** What `nesgd export --json` prints. */
export interface ExportSummary {
  readonly runId: string;
  readonly which: Which;
  readonly folder: string;
  /** Relative to `folder`. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

/**
 * `nesgd export RUN`. A file appears whole or not at all; one of an earlier export is replaced.
 * @throws InputError for a run without such a network, or a folder that cannot be written in.
 */
export async function exportRun(
  runId: string,
  options: ExportOptions,
  config: CoordinatorConfig,
): Promise<ExportSummary> {
  const { which } = options;
  const files = [...(await filesOf(runId, options, config))];
  const folder = resolve(options.out ?? join(options.runs, runId, 'export'));
  try {
    await mkdir(folder, { recursive: true });
    for (const [path, bytes] of files) await writeFileAtomically(join(folder, path), bytes);
  } catch (cause) {
    throw new InputError(
      'EXPORT_FOLDER',
      `the export folder ${folder} cannot be written in: ${(cause as Error).message}; --out names another`,
      false,
      { cause },
    );
  }
  return { runId, which, folder, files: files.map(([path, bytes]) => ({ path, bytes: bytes.length })) };
}

/** By their paths, in the order in which to write them. */
async function filesOf(
  runId: string,
  { runs, which, format }: ExportOptions,
  config: CoordinatorConfig,
): Promise<ReadonlyMap<string, Uint8Array>> {
  if (format === 'tensorboard') {
    const { lines, opened } = await readRun(runs, runId);
    const files = tensorBoardFiles(lines, opened);
    if (files.size === 0) throw new InputError('NO_CURVES', `run ${runId} has no curves yet: its alpha is not trained`);
    return new Map([...files].map(([path, bytes]) => [`tensorboard/${path}`, bytes]));
  }
  const network: ChosenNetwork = await chosenNetwork(runs, runId, which, cacheFolder(config.cacheRoot));
  if (format === 'safetensors') return safetensorsFiles(network);
  if (format === 'tfjs') return tfjsFiles(network);
  return new Map([...safetensorsFiles(network), ...tfjsFiles(network)]);
}

/** For people: what was written. */
export function exportLines({ folder, files }: ExportSummary): string[] {
  return files.map(({ path, bytes }) => `${join(folder, path)}  ${bytes.toLocaleString('en')} bytes`);
}
