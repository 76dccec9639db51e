import { open, stat } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { FolderTree } from './folder-tree.js';
import { TarTree } from './tar-tree.js';

/**
 * Named files, whether they stand in a folder or in a tar: formats read from either alike. Paths are relative and
 * separated by '/'. What starts with a dot is left out (.DS_Store and the like).
 */
export interface FileTree {
  /** As the user gave it, for messages. */
  readonly path: string;
  /** Changes when the files do (path, size or a time of one of them), and costs no reading of them. */
  identity(): Promise<string>;
  /** Sorted by code unit. @throws InputError for a damaged tar; the signal's reason. */
  list(signal?: AbortSignal): Promise<Listing>;
  /** Each of `files` once, in an order of the tree's choosing. @throws InputError for a damaged tar or an unreadable file. */
  read(files: ReadonlySet<string>, signal?: AbortSignal): AsyncGenerator<TreeFile>;
}

export interface Listing {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

export interface TreeFile {
  readonly path: string;
  /** The path with the tree's own before it, for messages. */
  readonly where: string;
  readonly content: Buffer;
}

/**
 * @param everyFolder look below all folders, not only train and test.
 * @throws InputError `DATASET_PATH` where there is nothing that can be a data set.
 */
export async function openTree(path: string, everyFolder = false): Promise<FileTree> {
  const stats = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const fault = cause.code === 'ENOENT' ? 'there is no such file or folder' : cause.message;
    throw new InputError('DATASET_PATH', `dataset.path ${path}: ${fault}`, false, { cause });
  });
  if (stats.isDirectory()) return new FolderTree(path, everyFolder);
  if (!stats.isFile()) throw new InputError('DATASET_PATH', `dataset.path ${path}: is neither a file nor a folder`);
  const start = await firstBytes(path, 512);
  if (start.length >= 2 && start[0] === 0x1f && start[1] === 0x8b) return new TarTree(path, true);
  // POSIX and GNU tars have this mark in their first header.
  if (start.toString('latin1', 257, 262) === 'ustar') return new TarTree(path, false);
  throw new InputError('DATASET_PATH', `dataset.path ${path}: is not a tar or tar.gz; give one of those, or a folder`);
}

async function firstBytes(path: string, length: number): Promise<Buffer> {
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('DATASET_PATH', `dataset.path ${path}: cannot be read: ${cause.message}`, false, { cause });
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
