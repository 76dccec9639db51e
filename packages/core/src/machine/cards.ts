import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One NVIDIA card, or the part of one that MIG made. */
export interface Card {
  /** What CUDA_VISIBLE_DEVICES names it by: unlike a number, the same for every program. */
  readonly uuid: string;
  readonly name: string;
  /** MiB; undefined where the driver does not say. */
  readonly memoryMb: number | undefined;
}

export interface CardSearch {
  readonly cards: readonly Card[];
  /** Why there are none, where there are none. */
  readonly reason?: string;
}

/** A driver that nobody uses is loaded anew each time, which may take seconds. */
const QUERY_TIMEOUT_MS = 30_000;
const QUERY = ['--query-gpu=index,uuid,name,memory.total', '--format=csv,noheader,nounits'];

/**
 * The cards that a process of this environment may use, in nvidia-smi's order: those that CUDA_VISIBLE_DEVICES names, by
 * number or UUID, else all. Asks nvidia-smi, which comes with the driver.
 * @param root where /proc is; a test has its own.
 */
export function visibleCards(env: NodeJS.ProcessEnv, root = '/'): CardSearch {
  const found = allCards(env, root);
  if (found.cards.length === 0) return found;
  const list = env.CUDA_VISIBLE_DEVICES;
  const cards = list === undefined ? found.cards : namedCards(found.cards, list);
  if (cards.length > 0) return { cards };
  const total = `${found.cards.length} ${found.cards.length === 1 ? 'card' : 'cards'}`;
  return { cards, reason: `CUDA_VISIBLE_DEVICES=${list} shows none of ${total}` };
}

function allCards(env: NodeJS.ProcessEnv, root: string): CardSearch {
  try {
    const output = execFileSync('nvidia-smi', QUERY, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: QUERY_TIMEOUT_MS,
    });
    const cards = output.split('\n').flatMap(parseCard);
    return cards.length > 0 ? { cards } : { cards, reason: 'nvidia-smi lists no card' };
  } catch (error) {
    const { code, stdout, message } = error as NodeJS.ErrnoException & { stdout?: string };
    if (code !== 'ENOENT') {
      const said = stdout?.split('\n').find((line) => line.trim() !== '');
      return { cards: [], reason: `nvidia-smi fails: ${said?.trim() || message.split('\n')[0]}` };
    }
    const reason = hasDriver(root)
      ? 'the NVIDIA driver is loaded, but nvidia-smi is not on the PATH (in a container: NVIDIA_DRIVER_CAPABILITIES=compute,utility)'
      : 'no NVIDIA driver here (nvidia-smi)';
    return { cards: [], reason };
  }
}

/** `0, GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, NVIDIA H100 80GB HBM3, 81559` */
function parseCard(line: string): Card[] {
  const [, uuid, name, memory] = /^\s*\d+\s*,\s*(GPU-[\w-]+)\s*,\s*(.+?)\s*,\s*([^,]+?)\s*$/.exec(line) ?? [];
  if (uuid === undefined || name === undefined) return [];
  const memoryMb = Number(memory);
  return [{ uuid, name, memoryMb: Number.isFinite(memoryMb) ? memoryMb : undefined }];
}

/** As CUDA reads the list: a UUID may be cut short, and what follows a name that fits none is not seen. */
function namedCards(cards: readonly Card[], list: string): Card[] {
  const named: Card[] = [];
  for (const entry of list.split(',').map((name) => name.trim())) {
    const card = cardNamed(cards, entry);
    if (!card) break;
    named.push(card);
  }
  return named;
}

function cardNamed(cards: readonly Card[], entry: string): Card | undefined {
  if (/^\d+$/.test(entry)) return cards[Number(entry)];
  // nvidia-smi's query lists whole cards alone.
  if (entry.startsWith('MIG-')) return { uuid: entry, name: 'a part of a card (MIG)', memoryMb: undefined };
  const matches = entry.startsWith('GPU-') ? cards.filter(({ uuid }) => uuid.startsWith(entry)) : [];
  return matches.length === 1 ? matches[0] : undefined;
}

function hasDriver(root: string): boolean {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  return existsSync(folder) && readdirSync(folder).length > 0;
}
