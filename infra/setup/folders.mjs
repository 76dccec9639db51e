import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { COMPLETE_FILE, isComplete } from '../../packages/core/dist/runtime/complete.js';

const PARTIAL = '.partial-';

/**
 * Fills a folder of the runtime: in a folder beside it, which is renamed when all is there. Whoever looks sees all of
 * it or nothing, whenever this process is killed.
 * @param {string} root the folder of the runtime.
 * @param {string} target a folder in it, absent or damaged.
 * @param {(partial: string) => Promise<readonly string[]>} fill
 *   fills `partial` and returns the files whose sizes tell later whether the folder is whole.
 */
export async function installFolder(root, target, fill) {
  mkdirSync(root, { recursive: true });
  const partial = mkdtempSync(join(root, PARTIAL));
  try {
    chmodSync(partial, 0o755); // The cache may be shared with other users.
    const files = await fill(partial);
    const sizes = Object.fromEntries(files.map((file) => [file, statSync(join(partial, file)).size]));
    writeFileSync(join(partial, COMPLETE_FILE), JSON.stringify(sizes));
    // A set-up beside this one (of another host, say) may have been faster; what it made is the same.
    if (isComplete(target)) return;
    if (existsSync(target)) rmSync(target, { recursive: true, force: true });
    renameSync(partial, target);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/**
 * Deletes what set-ups left behind that were killed. Only whoever holds the lock may.
 * @param {string} root
 */
export function deletePartialFolders(root) {
  if (!existsSync(root)) return;
  for (const name of readdirSync(root)) {
    if (name.startsWith(PARTIAL)) rmSync(join(root, name), { recursive: true, force: true });
  }
}
