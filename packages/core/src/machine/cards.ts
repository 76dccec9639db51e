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

/** A card of the machine, with the parts that MIG made of it: then only these can be used. */
interface WholeCard {
  readonly card: Card;
  readonly parts: readonly Card[];
}

/**
 * The cards that a process of this environment may use, in nvidia-smi's order: those that CUDA_VISIBLE_DEVICES names, by
 * number or UUID, else all; in place of a card that is divided by MIG its parts. Asks nvidia-smi, which comes with the driver.
 * @param root where /proc is; a test has its own.
 */
export function visibleCards(env: NodeJS.ProcessEnv, root = '/'): CardSearch {
  const found = wholeCards(env, root);
  if (found.cards.length === 0) return { ...found, cards: [] };
  const list = env.CUDA_VISIBLE_DEVICES;
  const cards = list === undefined ? found.cards.flatMap(usable) : namedCards(found.cards, list);
  if (cards.length > 0) return { cards };
  const total = `${found.cards.length} ${found.cards.length === 1 ? 'card' : 'cards'}`;
  return { cards, reason: `CUDA_VISIBLE_DEVICES=${list} shows none of ${total}` };
}

function wholeCards(
  env: NodeJS.ProcessEnv,
  root: string,
): { readonly cards: readonly WholeCard[]; readonly reason?: string } {
  try {
    const listed = ask(QUERY, env).split('\n').flatMap(parseCard);
    const parts = listed.length > 0 ? partsByCard(env) : new Map<string, Card[]>();
    const cards = listed.map((card) => ({ card, parts: parts.get(card.uuid) ?? [] }));
    return cards.length > 0 ? { cards } : { cards, reason: 'nvidia-smi lists no card' };
  } catch (error) {
    const { code, stdout, message } = error as NodeJS.ErrnoException & { stdout?: string };
    if (code !== 'ENOENT') {
      const said = stdout?.split('\n').find((line) => line.trim() !== '');
      return { cards: [], reason: `nvidia-smi fails: ${said?.trim() || message.split('\n')[0]}` };
    }
    const reason = cardIsPresent(root)
      ? 'the NVIDIA driver is loaded, but nvidia-smi is not on the PATH (in a container: NVIDIA_DRIVER_CAPABILITIES=compute,utility)'
      : 'no NVIDIA driver here (nvidia-smi)';
    return { cards: [], reason };
  }
}

const ask = (words: readonly string[], env: NodeJS.ProcessEnv): string =>
  execFileSync('nvidia-smi', words, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: QUERY_TIMEOUT_MS,
  });

const usable = ({ card, parts }: WholeCard): readonly Card[] => (parts.length > 0 ? parts : [card]);

/** Parts by the UUID of their card, which the query leaves out; none where nvidia-smi does not list them. */
function partsByCard(env: NodeJS.ProcessEnv): Map<string, Card[]> {
  const parts = new Map<string, Card[]>();
  let whole = { name: '', parts: [] as Card[] };
  for (const line of lines(env)) {
    // `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-e86cb44c-...)`, and below it
    // `  MIG 3g.20gb     Device  0: (UUID: MIG-c7384736-...)`; of older drivers `MIG-GPU-e86cb44c-.../3/0`.
    const [, name, uuid] = /^GPU \d+: (.+) \(UUID: (GPU-[\w-]+)\)/.exec(line) ?? [];
    if (name !== undefined && uuid !== undefined) {
      whole = { name, parts: [] };
      parts.set(uuid, whole.parts);
      continue;
    }
    const [, profile, part] = /^\s+MIG (\S+)\s+Device\s+\d+: \(UUID: (MIG-[^)\s]+)\)/.exec(line) ?? [];
    if (profile === undefined || part === undefined) continue;
    whole.parts.push({ uuid: part, name: `${whole.name} MIG ${profile}`, memoryMb: memoryOfProfile(profile) });
  }
  return parts;
}

function lines(env: NodeJS.ProcessEnv): string[] {
  try {
    return ask(['-L'], env).split('\n');
  } catch {
    return [];
  }
}

/** Of `1g.10gb` there are 9728 MiB: the name counts what the part takes of the card. */
function memoryOfProfile(profile: string): number | undefined {
  const gigabytes = Number(/\.(\d+)gb/.exec(profile)?.[1]);
  return gigabytes > 0 ? Math.floor(0.95 * 1024 * gigabytes) : undefined;
}

/** `0, GPU-8932f937-d72c-4106-c12f-20bd9faed9f6, NVIDIA H100 80GB HBM3, 81559` */
function parseCard(line: string): Card[] {
  const [, uuid, name, memory] = /^\s*\d+\s*,\s*(GPU-[\w-]+)\s*,\s*(.+?)\s*,\s*([^,]+?)\s*$/.exec(line) ?? [];
  if (uuid === undefined || name === undefined) return [];
  const memoryMb = Number(memory);
  return [{ uuid, name, memoryMb: Number.isFinite(memoryMb) ? memoryMb : undefined }];
}

/** As CUDA reads the list: a UUID may be cut short, and what follows a name that fits none is not seen. */
function namedCards(cards: readonly WholeCard[], list: string): Card[] {
  const named: Card[] = [];
  for (const entry of list.split(',').map((name) => name.trim())) {
    const found = cardsNamed(cards, entry);
    if (found.length === 0) break;
    named.push(...found);
  }
  return named;
}

function cardsNamed(cards: readonly WholeCard[], entry: string): readonly Card[] {
  if (/^\d+$/.test(entry)) return cards[Number(entry)] ? usable(cards[Number(entry)] as WholeCard) : [];
  if (entry.startsWith('MIG-')) {
    const known = cards.flatMap(({ parts }) => parts).filter(({ uuid }) => uuid.startsWith(entry));
    if (known.length > 0) return known.length === 1 ? known : [];
    // In a container nvidia-smi may list whole cards alone.
    return [{ uuid: entry, name: 'a part of a card (MIG)', memoryMb: undefined }];
  }
  const matches = entry.startsWith('GPU-') ? cards.filter(({ card }) => card.uuid.startsWith(entry)) : [];
  return matches.length === 1 ? usable(matches[0] as WholeCard) : [];
}

export function cardIsPresent(root = '/'): boolean {
  const folder = join(root, 'proc/driver/nvidia/gpus');
  return existsSync(folder) && readdirSync(folder).length > 0;
}
