import { type FetchedFile, fetchOriginals } from '@nesgd/core/datasets';
import { type DataSurroundings, megabytes, printResult } from './surroundings.js';
import { knownName } from './which.js';

/** `nesgd data fetch NAME`: brings a known data set's files from their authors' address, or from a mirror. */
export async function fetchData(
  name: string,
  options: { readonly from?: string },
  around: DataSurroundings,
): Promise<void> {
  const { cache, watch, signal } = around;
  const files = await fetchOriginals(knownName(name), cache.datasets, {
    from: options.from,
    signal,
    onProgress: ({ file, received, bytes }) =>
      watch({ type: 'preparing', what: `fetching ${file}`, fraction: received / bytes }),
  });
  printResult(around, { name, files }, () =>
    files.map(({ path, bytes, fetched }: FetchedFile) => [
      `${path} (${megabytes(bytes)}): ${fetched ? 'fetched, and right' : 'was there, and is right'}`,
    ]),
  );
}
