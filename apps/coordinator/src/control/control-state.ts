import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { prioritySchema } from './orders.js';

/**
 * `runs/<id>/control.json`: how the process that works on a run has been told to do so. Circumstances, not facts: no
 * result depends on them. Only that process writes it. The priority outlives it, and that it was told to stop; the pause does not (decisions 0181, 0221).
 */
const controlStateSchema = z.object({
  version: z.literal(1),
  paused: z.boolean(),
  stopped: z.boolean().default(false),
  priority: prioritySchema,
});

export interface ControlState {
  readonly paused: boolean;
  /** Told to stop, and not begun again since: only `resume` goes on, no `run --or-resume`. */
  readonly stopped: boolean;
  /** -100 to 100, the higher is served first. */
  readonly priority: number;
}

export const CONTROL_FILE = 'control.json';
const AS_EVER: ControlState = { paused: false, stopped: false, priority: 0 };

export async function readControlState(runFolder: string): Promise<ControlState> {
  const text = await readFile(join(runFolder, CONTROL_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return AS_EVER;
  try {
    const { version: _, ...state } = controlStateSchema.parse(JSON.parse(text));
    return state;
  } catch {
    return AS_EVER;
  }
}

export async function writeControlState(runFolder: string, state: ControlState): Promise<void> {
  const path = join(runFolder, CONTROL_FILE);
  await writeFile(`${path}.tmp`, JSON.stringify({ version: 1, ...state }));
  await rename(`${path}.tmp`, path);
}
