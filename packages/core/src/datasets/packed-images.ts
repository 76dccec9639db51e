import { fstatSync, readSync } from 'node:fs';
import { NesgdError } from '../errors.js';
import type { ImageStore } from './image-store.js';
import type { Range } from './packed-header.js';

/** An open packed file. */
export interface PackedSource {
  readonly path: string;
  readonly fd: number;
  /** As they were when its content was verified. */
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Images read from the packed file whenever they are wanted: the kernel's page cache holds them once for all trainers of a
 * machine, and gives them up when memory is short. Synchronous reads, because a batch is made between two steps of training
 * and one read costs 2 us; the event loop gains nothing from 128 promises.
 */
export class PackedImages implements ImageStore {
  /** @param range of this part's images in the file. */
  constructor(
    private readonly source: PackedSource,
    private readonly range: Range,
    private readonly imageSize: number,
  ) {}

  read(image: number, into: Uint8Array): void {
    const at = this.range.from + image * this.imageSize;
    if (!(at >= this.range.from && at + this.imageSize <= this.range.to))
      throw new RangeError(`there is no image ${image}`);
    let got: number;
    try {
      got = readSync(this.source.fd, into, 0, this.imageSize, at);
    } catch (cause) {
      throw this.#damaged((cause as Error).message, cause);
    }
    // Regular files give all that is asked, except at their end.
    if (got !== this.imageSize) throw this.#damaged('it has become shorter');
  }

  checkUnchanged(): void {
    // Its change time is not looked at: a link or a rename changes that, and not the content.
    const { size, mtimeMs } = fstatSync(this.source.fd);
    if (size !== this.source.size || mtimeMs !== this.source.mtimeMs) throw this.#damaged('somebody writes into it');
  }

  #damaged(fault: string, cause?: unknown): NesgdError {
    return new NesgdError(
      'DATASET_CORRUPT',
      `the packed data set ${this.source.path} changed while it was in use: ${fault}. Delete it; it will be packed again`,
      true,
      { cause },
    );
  }
}
