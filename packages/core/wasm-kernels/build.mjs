/**
 * Compiles the AssemblyScript kernels of this folder into src/training/engine/wasm/kernels.generated.ts, which is
 * committed so that nobody needs the compiler (90 MB with its optimiser) to run or build nesgd. A test fails when the
 * sources have changed since. Usage: node packages/core/wasm-kernels/build.mjs
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILER = 'assemblyscript@0.28.8';
/** Warning 112 is about vectors crossing to JavaScript, which none does; 201 about 64-bit memory, which this is not. */
const FLAGS = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--importMemory', '--enable', 'simd', '--enable', 'bulk-memory'],
  ...['--disableWarning', '112', '--disableWarning', '201'],
];

const folder = fileURLToPath(new URL('.', import.meta.url));
const target = join(folder, '../src/training/engine/wasm/kernels.generated.ts');

const hash = createHash('sha256');
const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'));
for (const name of sources.sort()) hash.update(readFileSync(join(folder, name)));

const scratch = mkdtempSync(join(tmpdir(), 'nesgd-kernels-'));
try {
  const wasm = join(scratch, 'kernels.wasm');
  const command = ['--yes', '--package', COMPILER, '--', 'asc', join(folder, 'index.ts'), '-o', wasm];
  execFileSync('npx', [...command, ...FLAGS], { cwd: scratch, stdio: 'inherit' });
  writeFileSync(
    target,
    `// Made by packages/core/wasm-kernels/build.mjs with ${COMPILER}; do not edit.
export const KERNEL_SOURCES_SHA256 = '${hash.digest('hex')}';
export const KERNELS_BASE64 =
  '${readFileSync(wasm).toString('base64')}';
`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
