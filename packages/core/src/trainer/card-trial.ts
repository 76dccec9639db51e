import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Device } from '../protocol/index.js';

/**
 * A few steps of a small network, as trainers do them, twice in a process of its own: shows whether a card computes what
 * the processor does, and the same bits again.
 */
const trialSchema = z.strictObject({
  /** Library, version and device. */
  engine: z.string(),
  /** What the trained network makes of the images. */
  logits: z.array(z.number()),
  /** Of the trained weights. */
  digest: z.string(),
  isRepeatable: z.boolean(),
  /** Of the second time, when libraries are loaded. */
  msPerStep: z.number(),
});
export type Trial = z.infer<typeof trialSchema>;

/** Loading cuDNN for the first time, on a cold disk, takes a minute. */
const TIMEOUT_MS = 300_000;

/** @param env shows the card. @throws Error with the last line that the process wrote. */
export async function runTrial(device: Device, env: NodeJS.ProcessEnv): Promise<Trial> {
  const script = fileURLToPath(new URL('../../dist/bench/card-trial-main.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, device], { env, timeout: TIMEOUT_MS });
    return trialSchema.parse(JSON.parse(stdout));
  } catch (cause) {
    const { stderr = '', message } = cause as { stderr?: string; message: string };
    const words = stderr.split('\n').findLast((line) => /^\w*Error\b|^[EF]\d{4} /.test(line));
    throw new Error(words?.replace(/^\w*Error[^:]*: /, '') ?? message.split('\n')[0], { cause });
  }
}

/** Steps add up what each rounds: about 1e-5 is seen between two engines on a processor. */
const MOST_APART = 1e-3;

/** @returns what is wrong with a card's trial, beside the processor's; undefined where nothing is. */
export function faultOf(card: Trial, processor: Trial): string | undefined {
  const apart = distance(card, processor);
  if (!(apart <= MOST_APART)) return `a training on it comes out otherwise than on the processor (by ${share(apart)})`;
  return card.isRepeatable ? undefined : 'a training on it does not give the same bits twice';
}

export const describeTrial = (card: Trial, processor: Trial): string =>
  `trains as the processor does (to ${share(distance(card, processor))}), to the same bits twice`;

/** Of the logits, as a part of the largest. */
function distance({ logits }: Trial, { logits: others }: Trial): number {
  if (logits.length !== others.length) return Number.NaN;
  const largest = Math.max(...others.map(Math.abs));
  return Math.max(...logits.map((value, i) => Math.abs(value - (others[i] as number)))) / largest;
}

const share = (value: number): string => value.toExponential(0);
