/** The worker process: `nesgd worker`, and what `nesgd run` starts for each of its local workers. */
import 'dotenv/config';
import { InputError } from '@nesgd/core/errors';
import { endTracing, startTracing } from '@nesgd/core/tracing';
import { pino } from 'pino';
import { readConfig, type WorkerConfig } from './config.js';
import { takeCard } from './own-card.js';
import { Supervisor } from './supervisor.js';

function configOrExit(): WorkerConfig {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

const config = configOrExit();
// Trainers inherit the environment, and have no use for it.
delete process.env.NESGD_SECRET;
const log = pino({ level: config.logLevel, base: { worker: config.name } });

/** A trainer has seconds to put its state down, and it may have to be sent. Less than docker-compose.yml's grace period. */
const CLOSE_TIMEOUT_MS = 20_000;
await startTracing(process.env, 'nesgd-worker');
const card = takeCard(process.env);
const onDrained = () => {
  // Its parent shall not take the end for a death.
  process.send?.({ type: 'drained' });
  close('drained');
};
const supervisor = new Supervisor(config, log, onDrained, card);
let ready = false;
let closing = false;
function close(reason: string): void {
  // It has no job to give back, and perhaps no broker that would listen.
  if (!ready) process.exit(0);
  if (closing) return;
  closing = true;
  void (async () => {
    // A broker that is gone as well would keep us here for ever.
    setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
    log.info({ reason }, 'stopping');
    await supervisor.close();
    await endTracing();
    process.exit(0);
  })();
}

process.on('SIGTERM', () => close('SIGTERM'));
// Started by `nesgd run` or `nesgd worker`, it shares their terminal: Ctrl-C is theirs to handle, and their end is ours.
if (process.send) {
  // Its parent may have been killed before this line: no `disconnect` comes then.
  if (!process.connected) close('the process that started this worker is gone');
  process.on('SIGINT', () => {});
  process.on('disconnect', () => close('the process that started this worker is gone'));
} else {
  process.on('SIGINT', () => close('SIGINT'));
}

await supervisor.ready();
ready = true;
log.info({ cacheRoot: config.cacheRoot, card, coordinator: config.coordinator?.url }, 'waiting for jobs');
process.send?.({ type: 'ready' });
