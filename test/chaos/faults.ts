import { setTimeout as delay } from 'node:timers/promises';
import { rngAt } from '@nesgd/core/evolution';
import type { Cast } from './cast.js';

/** What is done to a run, how often, and how. `ms`: a draw of how long it lasts. */
const FAULTS: Record<
  string,
  { times: number; ms: readonly [number, number]; inject: (cast: Cast, ms: number) => Promise<void> }
> = {
  'trainer: SIGKILL': { times: 16, ms: [0, 0], inject: async (cast) => killOne(await cast.trainers(), 'SIGKILL') },
  'trainer: SIGSTOP, for good': {
    times: 3,
    ms: [0, 0],
    inject: async (cast) => killOne(await cast.trainers(), 'SIGSTOP'),
  },
  'worker: SIGKILL': { times: 10, ms: [0, 0], inject: async (cast) => killOne(pidsOf(cast), 'SIGKILL') },
  'worker: SIGTERM': { times: 4, ms: [0, 0], inject: async (cast) => killOne(pidsOf(cast), 'SIGTERM') },
  'worker: SIGSTOP, past its lock': {
    times: 4,
    ms: [1_800, 3_000],
    inject: async (cast, ms) => {
      const [worker] = cast.workers;
      worker?.kill('SIGSTOP');
      await delay(ms);
      worker?.kill('SIGCONT');
    },
  },
  'network: workers cut off': {
    times: 6,
    ms: [200, 2_500],
    inject: async (cast, ms) => {
      cast.workersCable.cut();
      await delay(ms);
      cast.workersCable.heal();
    },
  },
  'network: coordinator cut off': {
    times: 5,
    ms: [200, 2_500],
    inject: async (cast, ms) => {
      cast.coordinatorsCable.cut();
      await delay(ms);
      cast.coordinatorsCable.heal();
    },
  },
  'broker: SIGKILL, started again with its data': {
    times: 5,
    ms: [0, 1_500],
    inject: async (cast, ms) => {
      await cast.broker.kill();
      await delay(ms);
      cast.broker.start();
    },
  },
  'broker: all data lost': { times: 3, ms: [0, 0], inject: (cast) => cast.flush() },
  'coordinator: SIGKILL, then resume': {
    times: 7,
    ms: [0, 0],
    inject: async (cast) => {
      const { child } = cast.coordinator;
      child.kill('SIGKILL');
      await cast.coordinator.exited;
    },
  },
};

export interface PlannedFault {
  readonly name: string;
  readonly inject: (cast: Cast) => Promise<void>;
  /** Before it, after the run has come as far as it shall. */
  readonly pauseMs: number;
}

/** The faults of one seed, in their order: which ones is fixed, when and how long is drawn. */
export function schedule(seed: number): PlannedFault[] {
  const rng = rngAt(seed, 'chaos');
  const draw = ([low, high]: readonly [number, number]) => low + (rng.nextUint32() % (high - low + 1));
  const names = Object.entries(FAULTS).flatMap(([name, { times }]) => Array<string>(times).fill(name));
  for (let i = names.length - 1; i > 0; i--) {
    const j = rng.nextUint32() % (i + 1);
    [names[i], names[j]] = [names[j]!, names[i]!];
  }
  return names.map((name) => {
    const { ms, inject } = FAULTS[name]!;
    const lasts = draw(ms);
    return { name, pauseMs: draw([0, 500]), inject: (cast) => inject(cast, lasts) };
  });
}

const pidsOf = (cast: Cast) => cast.workers.flatMap(({ pid }) => pid ?? []);

/** One that is not there just now (a trainer between two jobs' processes) is waited for. */
function killOne(pids: readonly number[], signal: NodeJS.Signals): void {
  const [pid] = pids;
  if (pid === undefined) throw new NobodyThere();
  process.kill(pid, signal);
}

/** The fault found nothing to strike; it is tried again. */
export class NobodyThere extends Error {}
