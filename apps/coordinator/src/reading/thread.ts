import { parentPort, workerData } from 'node:worker_threads';
import { InputError } from '@nesgd/core/errors';
import { RunList } from '../status/run-list.js';
import { overviewOf } from '../status/run-overview.js';
import { JournalReading } from './journal-reading.js';
import type { FromThread, ToThread } from './thread-messages.js';

/**
 * The thread that reads journals, see `RunReader`. What it throws beyond an InputError ends it: the process hears of that
 * and starts another.
 */
const port = parentPort;
if (!port) throw new Error('this is a thread of `nesgd serve`');
const runsFolder = workerData as string;

const list = new RunList(runsFolder);
const readings = new Map<number, JournalReading>();

function say(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

async function answer({ id, request }: ToThread): Promise<void> {
  try {
    if (request.type === 'list') {
      const { patienceMs } = request;
      say({ id, type: 'done', value: await (patienceMs === undefined ? list.read() : list.readSoon(patienceMs)) });
    }
    if (request.type === 'overview') say({ id, type: 'done', value: await overviewOf(runsFolder, request.runId) });
    if (request.type === 'read') await read(id, request.reading, request.runId);
    if (request.type === 'forget') readings.delete(request.reading);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    say({ id, type: 'refused', code: error.code, message: error.message });
  }
}

async function read(id: number, number: number, runId: string): Promise<void> {
  const reading = readings.get(number) ?? new JournalReading(runsFolder, runId);
  readings.set(number, reading);
  try {
    for await (const part of reading.readOn()) {
      const { bytes, ends } = part.text;
      say({ id, type: 'part', part }, [bytes.buffer as ArrayBuffer, ends.buffer as ArrayBuffer]);
    }
  } catch (error) {
    readings.delete(number); // What was read up to the fault is read again.
    throw error;
  }
  say({ id, type: 'done', value: null });
}

port.on('message', (message: ToThread) => void answer(message));
