import { readFileSync, type Stats, statSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { FileIdentity, FileTree, Listing, TreeFile } from './file-tree.js';

/**
 * Below these stand image folders, `train/<class>/<image>`. Nothing else is walked unless that was asked for: the path may be
 * somebody's home.
 */
const WALKED = new Set(['train', 'test']);
const DEEPEST = 3;
const DEEPEST_OF_ALL = 5;

/** A folder on disk. Symbolic links are followed. */
export class FolderTree implements FileTree {
  #walked: Promise<Walked> | undefined;

  constructor(
    readonly path: string,
    private readonly everyFolder = false,
  ) {}

  async identity(): Promise<readonly FileIdentity[]> {
    // Looked at anew each time: it is compared from before to after the reading.
    return (await walk(this.path, this.everyFolder)).identities;
  }

  async list(): Promise<Listing> {
    this.#walked ??= walk(this.path, this.everyFolder);
    return this.#walked;
  }

  async *read(files: ReadonlySet<string>, signal?: AbortSignal): AsyncGenerator<TreeFile> {
    for (const path of files) {
      signal?.throwIfAborted();
      const where = join(this.path, path);
      yield { path, where, content: readWhole(where) };
    }
  }
}

interface Walked extends Listing {
  readonly files: string[];
  readonly folders: string[];
  readonly identities: FileIdentity[];
}

async function walk(root: string, everyFolder: boolean): Promise<Walked> {
  const found: Walked = { files: [], folders: [], identities: [] };
  const enter = everyFolder
    ? (depth: number) => depth < DEEPEST_OF_ALL
    : (depth: number, name: string) => depth < DEEPEST && (depth > 1 || WALKED.has(name));
  await visit(await realpath(root), '', 1, enter, found);
  found.files.sort();
  found.folders.sort();
  found.identities.sort((a, b) => (a.path < b.path ? -1 : 1));
  return found;
}

async function visit(
  root: string,
  folder: string,
  depth: number,
  enter: (depth: number, name: string) => boolean,
  found: Walked,
): Promise<void> {
  const inside = folder === '' ? root : `${root}/${folder}`;
  const names = (await readdir(inside).catch(unreadable)).filter((name) => !name.startsWith('.'));
  // Sorted here, so that sorting all of them later has next to nothing to do.
  for (const name of names.sort()) {
    const path = folder === '' ? name : `${folder}/${name}`;
    const absolute = `${inside}/${name}`; // Not join(): it takes as long as the look.
    const about = look(absolute);
    if (about.isDirectory()) {
      found.folders.push(path);
      if (enter(depth, name)) await visit(root, path, depth + 1, enter, found);
    } else if (about.isFile()) {
      const { size, mtimeMs, ctimeMs } = about;
      found.files.push(path);
      found.identities.push({ path: absolute, size, mtimeMs, ctimeMs });
    }
  }
}

/** Synchronous: a small file takes a tenth of what a promise of it takes, and others decode meanwhile. */
function readWhole(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    return unreadable(cause as NodeJS.ErrnoException);
  }
}

/** Synchronous: 60,000 files take 0.3 s so, and 2 s by promises. */
function look(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    return unreadable(cause as NodeJS.ErrnoException);
  }
}

function unreadable(cause: NodeJS.ErrnoException): never {
  throw new InputError('DATASET_PATH', `a file of the data set cannot be read: ${cause.message}`, false, { cause });
}
