import { setTimeout as wait } from 'node:timers/promises';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { readRun, runHolder, runPath } from '@nesgd/core/run';
import { type ControlledRun, runState } from '@nesgd/core/view';
import { postOrder } from './order-box.js';
import type { Answer, Order } from './orders.js';

const ANSWER_TIMEOUT_MS = 15_000;
/** Longer than workers take to end. */
const STOP_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 100;

type Done = Extract<Answer, { done: true }>;

/** A run that is not in a state for what it is told. The API says 409. */
export class RunStateError extends InputError {
  constructor(message: string) {
    super('RUN_STATE', message);
  }
}

/** Tells the process that works on a run what to do. @throws as `giveOrder`. */
export async function controlRun(runsFolder: string, runId: string, order: Order): Promise<ControlledRun> {
  const { paused, priority, message } = await giveOrder(runsFolder, runId, order);
  return { runId, state: 'running', paused, priority, message };
}

/**
 * Gives the process that works on a run an order, and waits for its answer.
 * @throws RunStateError where none works on it, or that one cannot do so now; InputError for an unknown run;
 * NesgdError where the process does not answer.
 */
export async function giveOrder(runsFolder: string, runId: string, order: Order): Promise<Done> {
  const holder = await runHolder(runsFolder, runId);
  if (!holder) {
    // Parsed for this refusal alone: a long journal takes seconds, and an order that is followed needs none of it.
    const { lines } = await readRun(runsFolder, runId);
    const state = runState(
      lines.map(({ fact }) => fact),
      false,
    );
    throw new RunStateError(`run ${runId} is ${state}: no process is working on it`);
  }
  const posted = await postOrder(runPath(runsFolder, runId), holder, order).catch((cause: NodeJS.ErrnoException) => {
    throw new NesgdError(
      'RUN_UNWRITABLE',
      `run ${runId} cannot be told anything from here: its folder cannot be written in (${cause.message})`,
      false,
      { cause },
    );
  });
  const deadline = performance.now() + ANSWER_TIMEOUT_MS;
  let answer: Answer | undefined;
  while (answer === undefined) {
    // First the holder: one that answers and ends at once has answered by then.
    const isGone = (await runHolder(runsFolder, runId))?.pid !== holder.pid;
    answer = await posted.answer();
    if (answer) break;
    if (isGone || performance.now() > deadline) {
      await posted.withdraw();
      if (isGone) throw new RunStateError(`run ${runId} has ended in the meantime`);
      throw new NesgdError(
        'RUN_SILENT',
        `process ${holder.pid} on ${holder.host} holds run ${runId}, but has not answered for ${ANSWER_TIMEOUT_MS / 1000} s: it prepares the run, or hangs`,
      );
    }
    await wait(posted.askAgainAfterMs);
  }
  if (!answer.done) throw refusal(answer);
  return answer;
}

/** Stops a run, and waits until its process has let go of it. */
export async function stopRun(runsFolder: string, runId: string): Promise<ControlledRun> {
  const told = await controlRun(runsFolder, runId, { type: 'stop' });
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (await runHolder(runsFolder, runId)) {
    if (performance.now() > deadline) return told;
    await wait(LOOK_EVERY_MS);
  }
  return { ...told, state: 'stopped', paused: false, message: told.message.replace(' stops:', ' is stopped:') };
}

function refusal({ code, message }: Extract<Answer, { done: false }>): NesgdError {
  if (code === 'RUN_STATE') return new RunStateError(message);
  return code.startsWith('WORKER_') ? new InputError(code, message) : new NesgdError(code, message);
}
