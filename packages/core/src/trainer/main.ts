/** The trainer child process: one executor, one job at a time, in the service of whoever forked it. */
import { z } from 'zod';
import { NesgdError, UnwantedJobError } from '../errors.js';
import { runtimeSchema } from '../protocol/index.js';
import { cacheFolder } from '../storage/index.js';
import { createExecutor } from '../training/execute.js';
import { infer } from '../training/infer.js';
import { errorToMessage, type FromTrainer, toTrainerSchema } from './messages.js';

const settings = z
  .strictObject({ runtime: runtimeSchema, cacheRoot: z.string(), snapshotEpochs: z.int().min(0).optional() })
  .parse(JSON.parse(process.env.NESGD_TRAINER ?? 'null'));

// The supervisor's death closes the channel: computing on would be for nobody.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; when to stop is the supervisor's decision.
process.on('SIGINT', () => {});

/** At most so often does a trainer say that it goes forward. */
const SIGN_OF_LIFE_MS = 250;

const send = (message: FromTrainer) => process.send?.(message);

try {
  const executor = await createExecutor({
    runtime: settings.runtime,
    cache: cacheFolder(settings.cacheRoot),
    snapshotEpochs: settings.snapshotEpochs,
  });
  let abort: { id: number; controller: AbortController } | undefined;

  process.on('message', async (raw) => {
    const message = toTrainerSchema.parse(raw);
    if (message.type === 'stop') process.exit(0);
    if (message.type === 'ping') {
      send({ type: 'pong' });
      return;
    }
    if (message.type === 'abort') {
      const Reason = message.wanted ? NesgdError : UnwantedJobError;
      if (abort?.id === message.id) abort.controller.abort(new Reason('ABORTED', 'the job was stopped', true));
      return;
    }
    const { id } = message;
    const controller = new AbortController();
    abort = { id, controller };
    const started = performance.now();
    let lastSign = started;
    try {
      if (message.type === 'infer') {
        send({ type: 'logits', id, logits: await infer(executor.engine, message.inference) });
        return;
      }
      const result = await executor.execute(message.job, {
        onProgress: (progress) =>
          send({ type: 'progress', id, progress: { ...progress, memoryBytes: process.memoryUsage.rss() } }),
        onStep: () => {
          const now = performance.now();
          if (now - lastSign < SIGN_OF_LIFE_MS) return;
          lastSign = now;
          send({ type: 'alive', id });
        },
        onSnapshot: (snapshot) => send({ type: 'snapshot', id, snapshot }),
        onNotice: (text) => send({ type: 'notice', id, text }),
        signal: controller.signal,
      });
      send({ type: 'result', id, result, seconds: (performance.now() - started) / 1000 });
    } catch (error) {
      send({ type: 'error', id, error: errorToMessage(error) });
    }
  });
  send({ type: 'ready', engine: executor.engineName });
} catch (error) {
  // Exit only when the message is out, or its reader never learns why.
  process.send?.({ type: 'error', id: null, error: errorToMessage(error) } satisfies FromTrainer, () =>
    process.exit(1),
  );
}
