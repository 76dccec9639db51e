import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { InputError, NesgdError } from '../../errors.js';
import { fileIdentity } from './file-identity.js';
import type { FileTree, Listing, TreeFile } from './file-tree.js';

/** Read into memory at once. The largest file of a known data set has 1.33 GB. */
const LARGEST_FILE = 2 ** 31;

/** Images and raw pixels do not shrink to a hundredth; an archive that inflates so is made to waste time. */
const MOST_INFLATED = { times: 200, bytes: 2 ** 27 };

/**
 * A tar, gzipped or not, read as a stream: nothing is unpacked to disk. It is read twice, first for the names and to see
 * that it is whole, so that a damaged one is refused before an hour of decoding. One folder that holds everything
 * (`cifar10/train/...`) is left out of the names.
 */
export class TarTree implements FileTree {
  #listed: Promise<Listing & { wrapper: string }> | undefined;

  constructor(
    readonly path: string,
    private readonly gzipped: boolean,
  ) {}

  async identity(): Promise<string> {
    return fileIdentity(await realpath(this.path), await stat(this.path));
  }

  list(signal?: AbortSignal): Promise<Listing & { wrapper: string }> {
    this.#listed ??= this.#list(signal);
    return this.#listed;
  }

  async *read(files: ReadonlySet<string>, signal?: AbortSignal): AsyncGenerator<TreeFile> {
    const { wrapper } = await this.list(signal);
    for await (const { name, content } of this.#entries((name) => files.has(name.slice(wrapper.length)), signal)) {
      if (content) yield { path: name.slice(wrapper.length), where: `${this.path}: ${name}`, content };
    }
  }

  async #list(signal?: AbortSignal): Promise<Listing & { wrapper: string }> {
    const files = new Set<string>();
    const folders = new Set<string>();
    for await (const { name, folder } of this.#entries(() => false, signal)) {
      if (folder) {
        folders.add(name);
      } else if (files.has(name)) {
        throw new InputError('DATASET_TAR', `${this.path}: holds ${name} twice; pack it anew from one folder`);
      } else {
        files.add(name);
      }
    }
    const wrapper = wrapperOf(files);
    const inside = (names: Set<string>) =>
      [...names]
        .filter((name) => name.startsWith(wrapper) && name !== wrapper)
        .map((name) => name.slice(wrapper.length))
        .sort();
    return { files: inside(files), folders: inside(folders), wrapper };
  }

  /** Every file and folder in the order of the archive; the content of those that are `wanted`. */
  async *#entries(
    wanted: (name: string) => boolean,
    signal?: AbortSignal,
  ): AsyncGenerator<{ name: string; folder: boolean; content: Buffer | undefined }> {
    const archive = extract();
    const source = createReadStream(this.path);
    const end = endWatch((bytes) => {
      if (bytes < MOST_INFLATED.bytes || bytes < MOST_INFLATED.times * source.bytesRead) return;
      throw new Error(`${source.bytesRead} bytes of it inflate to more than ${bytes}, as images do not`);
    });
    const stop = { ...(signal && { signal }) };
    const flow = this.gzipped
      ? pipeline(source, createGunzip(), end.watch, archive, stop)
      : pipeline(source, end.watch, archive, stop);
    flow.catch(() => {}); // The loop below meets the same error, or has ended early and does not care.
    try {
      for await (const entry of archive) {
        signal?.throwIfAborted();
        const name = this.#nameOf(entry.header);
        if (name === undefined || !wanted(name)) {
          entry.resume();
          if (name !== undefined) yield { name, folder: entry.header.type === 'directory', content: undefined };
          continue;
        }
        if ((entry.header.size ?? 0) > LARGEST_FILE) throw new Error(`${name} has ${entry.header.size} bytes`);
        const chunks: Buffer[] = [];
        for await (const chunk of entry) chunks.push(chunk as Buffer);
        yield { name, folder: false, content: Buffer.concat(chunks) };
      }
      await flow;
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof NesgdError) throw cause;
      throw this.#damaged((cause as Error).message, cause);
    }
    // tar-stream is content when an archive ends between two files.
    if (!end.sawEmptyBlock()) throw this.#damaged('it does not end with an empty block');
  }

  /** @returns undefined for what is not looked at: hidden files, and entries that are neither file nor folder. */
  #nameOf(header: Header): string | undefined {
    const segments = header.name.split('/').filter((segment) => segment !== '' && segment !== '.');
    if (header.name.startsWith('/') || segments.includes('..')) {
      throw new InputError(
        'DATASET_TAR',
        `${this.path}: holds ${JSON.stringify(header.name)}, a path outside the archive; pack it anew with relative paths`,
      );
    }
    if (segments.length === 0 || segments.some((s) => s.startsWith('.') || s === '__MACOSX')) return undefined;
    if (header.type === 'link' || header.type === 'symlink') {
      throw new InputError(
        'DATASET_TAR',
        `${this.path}: holds the link ${header.name}; pack it anew with tar --dereference --hard-dereference`,
      );
    }
    const isEntry = header.type === 'file' || header.type === 'contiguous-file' || header.type === 'directory';
    return isEntry ? segments.join('/') : undefined;
  }

  #damaged(fault: string, cause?: unknown): InputError {
    return new InputError(
      'DATASET_TAR',
      `${this.path}: is cut short, damaged or no tar: ${fault}. Fetch or pack it again`,
      false,
      { cause },
    );
  }
}

/** `cifar10/` where every file stands below that folder, else ''. */
function wrapperOf(files: ReadonlySet<string>): string {
  const [first] = files;
  const top = first?.split('/')[0];
  if (top === undefined || top === first || top === 'train' || top === 'test') return '';
  return [...files].every((name) => name.startsWith(`${top}/`)) ? `${top}/` : '';
}

/**
 * A tar ends with blocks of 512 zero bytes. Passes everything on and watches whether the last block was one.
 * @param check is told how many bytes have passed; what it throws ends the stream.
 */
function endWatch(check: (bytes: number) => void) {
  let last: Buffer = Buffer.alloc(0);
  let bytes = 0;
  const watch = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      try {
        check(bytes);
      } catch (error) {
        return done(error as Error);
      }
      last = chunk.length >= 512 ? chunk.subarray(-512) : Buffer.concat([last, chunk]).subarray(-512);
      done(null, chunk);
    },
  });
  return { watch, sawEmptyBlock: () => last.length === 512 && last.every((byte) => byte === 0) };
}
