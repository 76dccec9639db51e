import { InputError, NesgdError } from '../../errors.js';
import { type KnownDatasetName, knownDataset, type PublishedFile, type PublishedFiles } from '../known-datasets.js';
import { checkOriginal } from './check-original.js';
import { type DownloadOptions, download } from './download.js';
import { isPresent, originalPath } from './original-files.js';

export interface FetchOptions extends Omit<DownloadOptions, 'onProgress'> {
  /** A mirror: an address below which the files lie under their own names. */
  readonly from?: string | undefined;
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
}

export interface FetchProgress {
  readonly file: string;
  /** Of all files of the data set. */
  readonly received: number;
  readonly bytes: number;
}

export interface FetchedFile {
  readonly path: string;
  readonly bytes: number;
  /** False where it was there before, fetched or put there by hand, and is right. */
  readonly fetched: boolean;
}

/**
 * Brings a known data set's files from their authors' address; those that are there already are checked instead.
 * @throws InputError `DATASET_FETCH` for a name without published files; NesgdError as `download`, saying where to put a file that was
 * fetched by other means.
 */
export async function fetchOriginals(
  name: KnownDatasetName,
  datasetsFolder: string,
  { from, onProgress, ...options }: FetchOptions = {},
): Promise<FetchedFile[]> {
  const { published, obtain } = knownDataset(name) ?? {};
  if (!published) throw new InputError('DATASET_FETCH', `${name}: there is nothing to fetch. ${obtain}`);
  const bytes = published.files.reduce((sum, file) => sum + file.bytes, 0);
  let before = 0;
  const got: FetchedFile[] = [];
  for (const file of published.files) {
    const place = originalPath(datasetsFolder, published, file);
    const there = (await isPresent(place, file)) && (await checkOriginal(place, file)) === undefined;
    if (!there) {
      const received = before;
      await download(addressOf(published, file, from), file, place, {
        ...options,
        onProgress: (part) => onProgress?.({ file: file.name, received: received + part, bytes }),
      }).catch((error: unknown) => {
        throw error instanceof NesgdError && error.code === 'DATASET_FETCH'
          ? withAdvice(error, name, file, place)
          : error;
      });
    }
    before += file.bytes;
    got.push({ path: place, bytes: file.bytes, fetched: !there });
  }
  return got;
}

function addressOf(published: PublishedFiles, file: PublishedFile, from = published.from): string {
  try {
    return new URL(file.name, from.endsWith('/') ? from : `${from}/`).href;
  } catch {
    throw new InputError('DATASET_FETCH', `--from ${from}: is no address; wants one like https://mirror.example/data/`);
  }
}

function withAdvice(error: NesgdError, name: string, file: PublishedFile, place: string): NesgdError {
  return new NesgdError(
    error.code,
    `${error.message}. Where this machine cannot get it, fetch ${file.name} (${file.bytes} bytes, MD5 ${file.md5}) elsewhere, put it at ${place} and run "nesgd data verify ${name}"`,
    error.retryable,
    { cause: error },
  );
}
