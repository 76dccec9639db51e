import type { ExperimentFault } from '../errors.js';
import type { MethodName, MethodWords } from '../methods/index.js';
import type { WorkerRecord } from '../protocol/index.js';
import type { LiveStatus } from './live-status.js';
import type { RunState } from './run-state.js';
import type { ViewLine } from './view-facts.js';

export type { ExperimentFault };

/** A run in a list; a damaged one has only its name and what is wrong with it. Accuracies in [0, 1]. */
export type ListedRun =
  | {
      readonly runId: string;
      readonly state: RunState;
      /** Told to begin no job; true only while it is running. */
      readonly paused: boolean;
      /** Among runs that share workers: -100 to 100, the higher is served first. */
      readonly priority: number;
      readonly experiment: string;
      readonly method: MethodName;
      /** What the method calls its rounds. */
      readonly round: MethodWords['round'];
      /** The last closed one, null before the first; of how many. */
      readonly generation: number | null;
      /** Null where a budget decides. */
      readonly generations: number | null;
      readonly alphaAccuracy: number | null;
      readonly bestAccuracy: number | null;
      readonly bestTestAccuracy: number | null;
      readonly startedAt: string;
      readonly lastFactAt: string;
    }
  | { readonly runId: string; readonly state: 'damaged'; readonly error: string };

/** For those who do not wait for long journals: a run whose is not read yet is `reading`. */
export type ListedSoon = ListedRun | { readonly runId: string; readonly state: 'reading' };

/** What changes about a run while no fact is added. */
export interface RunPulse {
  readonly state: RunState;
  /** Told to begin no job; true only while it is running. */
  readonly paused: boolean;
  readonly priority: number;
  /** Null where no process works on the run. */
  readonly holder: { readonly pid: number; readonly host: string } | null;
  /** Of the last process that worked on it; its jobs are none's where the run is not running. */
  readonly live: LiveStatus | null;
}

/** A run as it stands: the answer to `GET /api/runs/<id>`. Later lines come as events. */
export interface RunSnapshot extends RunPulse {
  readonly runId: string;
  /** Which journal the lines are of: a retried run has another, and so has another run under the same name. */
  readonly journal: string;
  /** Null where all of the journal is read; else the lines are of what is, and a state that is not `finished` may yet be. */
  readonly reading: ReadingProgress | null;
  readonly lines: readonly ViewLine[];
}

/** How much of a journal is read: a long one takes seconds. */
export interface ReadingProgress {
  readonly bytesRead: number;
  readonly bytes: number;
}

/** The answer to what a run was told to do: how it stands now. */
export interface ControlledRun {
  readonly runId: string;
  readonly state: RunState;
  readonly paused: boolean;
  readonly priority: number;
  /** What it came to, for people. */
  readonly message: string;
}

/** The workers that brokers and runs know. */
export interface WorkerList {
  readonly workers: readonly WorkerRecord[];
  /** Runs that go on, but could not say which workers they have. */
  readonly silent: readonly string[];
}

/** The end of what a worker wrote. */
export interface WorkerLog {
  /** The file's. */
  readonly name: string;
  readonly lines: readonly string[];
}

/** What a page should know of its server. */
export interface ServerDescription {
  /** Of nesgd and of Node. */
  readonly version: string;
  readonly node: string;
  /** Whether people log in, and so can log out. */
  readonly login: boolean;
  /** Where bull-board stands, if this server looks at a broker. */
  readonly queueBoard: string | null;
  /** Why nothing can be started or told from here; null where it can. */
  readonly readOnly: string | null;
}

/** The answer to a request that is refused. */
export interface ApiError {
  readonly code: string;
  readonly message: string;
  /** Of an experiment. */
  readonly faults?: readonly ExperimentFault[] | undefined;
}

/** The answer to a run that is started. */
export interface StartedRun {
  readonly runId: string;
  /** `starting`: its data are still being prepared; the run appears when they are. */
  readonly state: 'running' | 'starting' | 'ended';
}
