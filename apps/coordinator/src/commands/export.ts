import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { cacheFolder, writeFileAtomically } from '@nesgd/core/storage';
import type { CoordinatorConfig } from '../config.js';
import { chosenNetwork, type Which } from '../network/chosen-network.js';
import { type NetworkFormat, safetensorsFiles, tfjsFiles } from '../network/export-files.js';

const NETWORK_FORMATS = { safetensors: safetensorsFiles, tfjs: tfjsFiles } satisfies Record<string, NetworkFormat>;
export const EXPORT_FORMATS = Object.keys(NETWORK_FORMATS) as readonly ExportFormat[];
export type ExportFormat = keyof typeof NETWORK_FORMATS;

export interface ExportOptions {
  readonly runs: string;
  readonly which: Which;
  /** Default: every format of a network. */
  readonly format?: ExportFormat;
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
  const network = await chosenNetwork(options.runs, runId, which, cacheFolder(config.cacheRoot));
  const formats = options.format ? [options.format] : EXPORT_FORMATS;
  const files = formats.flatMap((format) => [...NETWORK_FORMATS[format](network)]);
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

/** For people: what was written, and how each is used. */
export function exportLines({ folder, files }: ExportSummary): string[] {
  return files.map(({ path, bytes }) => `${join(folder, path)}  ${bytes.toLocaleString('en')} bytes`);
}
