import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Gauge, type Registry } from 'prom-client';

const QUERY = ['--query-gpu=index,uuid,name,memory.used,memory.total', '--format=csv,noheader,nounits'];
const TIMEOUT_MS = 3_000;
const MEBIBYTE = 2 ** 20;

/**
 * Memory of the NVIDIA cards of the machine that serves, whichever processes use it. Nothing where there is no card: no
 * driver, so no `nvidia-smi` on the PATH, or one that fails.
 */
export async function measureGpus(registry: Registry): Promise<void> {
  const { stdout } = await promisify(execFile)('nvidia-smi', QUERY, { timeout: TIMEOUT_MS }).catch(() => ({
    stdout: '',
  }));
  // `0, GPU-8932f937-..., NVIDIA H100 80GB HBM3, 1024, 81559`, in MiB; `[N/A]` for what a card does not tell.
  const cards = stdout.split('\n').flatMap((line) => {
    const [gpu, uuid, name, used, total] = line.split(',').map((cell) => cell.trim());
    return gpu && uuid && name ? [{ gpu, uuid, name, used: Number(used), total: Number(total) }] : [];
  });
  if (cards.length === 0) return;
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['gpu', 'uuid', 'name'], registers: [registry] });
  const used = gauge('nesgd_gpu_memory_used_bytes', 'Memory of a card that is in use.');
  const total = gauge('nesgd_gpu_memory_size_bytes', 'Memory that a card has.');
  for (const { gpu, uuid, name, ...mebibytes } of cards) {
    if (Number.isFinite(mebibytes.used)) used.set({ gpu, uuid, name }, mebibytes.used * MEBIBYTE);
    if (Number.isFinite(mebibytes.total)) total.set({ gpu, uuid, name }, mebibytes.total * MEBIBYTE);
  }
}
