import { createHash } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { fileIdentity } from './file-identity.js';
import type { FileTree, Listing, TreeFile } from './file-tree.js';

/**
 * Below these stand image folders, `train/<class>/<image>`. Nothing else is walked unless that was asked for: the path may be
 * somebody's home.
 */
const WALKED = new Set(['train', 'test']);
const DEEPEST = 3;
const DEEPEST_OF_ALL = 5;

/** A folder on disk. Symbolic links are followed. */
export class FolderTree implements FileTree {
  #listed: Promise<Listing> | undefined;

  constructor(
    readonly path: string,
    private readonly everyFolder = false,
  ) {}

  async identity(): Promise<string> {
    // Looked at anew each time: it is compared from before to after the reading. In the order of the walk, which is one.
    const sha256 = createHash('sha256');
    await walk(this.path, this.everyFolder, {
      folder: () => {},
      file: (_path, absolute, about) => sha256.update(fileIdentity(absolute, about)),
    });
    return sha256.digest('hex');
  }

  list(): Promise<Listing> {
    this.#listed ??= this.#list();
    return this.#listed;
  }

  async #list(): Promise<Listing> {
    const files: string[] = [];
    const folders: string[] = [];
    await walk(this.path, this.everyFolder, {
      folder: (path) => folders.push(path),
      file: (path) => files.push(path),
    });
    return { files: files.sort(), folders: folders.sort() };
  }

  async *read(files: ReadonlySet<string>, signal?: AbortSignal): AsyncGenerator<TreeFile> {
    for (const path of files) {
      signal?.throwIfAborted();
      const where = join(this.path, path);
      yield { path, where, content: readWhole(where) };
    }
  }
}

/** What is told of a folder: paths relative to it, in an order that depends on names alone. */
interface Seen {
  folder(path: string): unknown;
  file(path: string, absolute: string, about: Stats): unknown;
}

async function walk(root: string, everyFolder: boolean, seen: Seen): Promise<void> {
  const enter = everyFolder
    ? (depth: number) => depth < DEEPEST_OF_ALL
    : (depth: number, name: string) => depth < DEEPEST && (depth > 1 || WALKED.has(name));
  const visit = async (absolute: string, within: string, depth: number): Promise<void> => {
    const names = (await readdir(absolute).catch(unreadable)).filter((name) => !name.startsWith('.'));
    for (const name of names.sort()) {
      const path = within + name;
      const inside = `${absolute}/${name}`; // Not join(): it takes as long as the look.
      const about = look(inside);
      if (about.isDirectory()) {
        seen.folder(path);
        if (enter(depth, name)) await visit(inside, `${path}/`, depth + 1);
      } else if (about.isFile()) {
        seen.file(path, inside, about);
      }
    }
  };
  await visit(await realpath(root), '', 1);
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
