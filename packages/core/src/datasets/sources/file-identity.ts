import type { Stats } from 'node:fs';

/**
 * One file's part of an identity. The change time notices what keeps the modification time: `cp -p` over the file, a package
 * installed anew.
 * @param path absolute, symbolic links resolved.
 */
export function fileIdentity(
  path: string,
  { size, mtimeMs, ctimeMs }: Pick<Stats, 'size' | 'mtimeMs' | 'ctimeMs'>,
): string {
  return `${path}\0${size}\0${mtimeMs}\0${ctimeMs}\n`;
}
