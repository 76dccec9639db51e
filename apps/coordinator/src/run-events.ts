import type { MethodName } from '@nesgd/core/methods';
import type { Progress } from '@nesgd/core/protocol';
import type { ExpectedAndMeasured } from './expectation.js';

/** What happens in a run, as it happens, for whoever watches: a terminal, a plain log, a test. Never needed to go on. */
export type RunEvent =
  /** Work before the run exists: a data set being packed, a broker starting. `fraction` in [0, 1] where it is known. */
  | { readonly type: 'preparing'; readonly what: string; readonly fraction?: number }
  /** Something the user should know and may want to change, such as an engine that is missing. */
  | { readonly type: 'notice'; readonly text: string }
  | { readonly type: 'opened'; readonly run: RunDescription }
  /** A batch of jobs begins; `total` counts those that are not answered from the journal. */
  | { readonly type: 'phase'; readonly phase: Phase; readonly total: number; readonly answered: number }
  | { readonly type: 'job-started'; readonly job: JobLabel; readonly worker: string }
  | { readonly type: 'job-progress'; readonly job: JobLabel; readonly worker: string; readonly progress: Progress }
  | { readonly type: 'job-retried'; readonly job: JobLabel; readonly reason: string }
  | {
      readonly type: 'job-done';
      readonly job: JobLabel;
      readonly worker: string;
      readonly accuracy: number;
      readonly seconds: number;
    }
  /** Alpha was known: from this run's journal, or from an earlier run. */
  | { readonly type: 'alpha-reused'; readonly accuracy: number }
  | {
      readonly type: 'generation-closed';
      readonly t: number;
      readonly bestAccuracy: number;
      readonly bestMask: string;
      /** max - min of the survivors' accuracies. */
      readonly nabla: number;
      readonly suppressed: number;
    }
  | { readonly type: 'finished'; readonly summary: RunSummary /** The run's. */; readonly folder: string };

export type Phase =
  | { readonly name: 'alpha' }
  /** Whatever the method calls it. */
  | { readonly name: 'generation'; readonly t: number; readonly of: number }
  | { readonly name: 'test' };

/** Names a job for people: `alpha`, a mask, `test of best`. `id` is unique within the run. */
export interface JobLabel {
  readonly id: string;
  readonly text: string;
}

export interface RunDescription {
  readonly runId: string;
  readonly folder: string;
  readonly resumed: boolean;
  readonly experiment: string;
  readonly method: MethodName;
  readonly dataset: string;
  readonly trainImages: number;
  readonly validationImages: number;
  readonly testImages: number;
  readonly model: string;
  readonly blocks: number;
  readonly engine: string;
  readonly threads: number;
  readonly device?: 'gpu';
  readonly workers: number;
  /** `redis://...` without its password, or `local`. */
  readonly broker: string;
  readonly populationSize: number;
  readonly generations: number;
  /** Epochs of one retraining: lets a view estimate the whole run while alpha is still trained. */
  readonly retrainEpochs?: number;
}

/**
 * `better`: its fitness is above alpha's. `alpha trained longer`: it is, but the mask keeps every block, so that nothing
 * was re-initialised. `not better`: no individual's fitness is above alpha's.
 */
export type Verdict = 'better' | 'alpha trained longer' | 'not better';

/** The last line of `nesgd run --json`; others script against its keys. Accuracies in [0, 1]. */
export interface RunSummary {
  readonly runId: string;
  readonly dataset: string;
  readonly model: string;
  readonly method: MethodName;
  readonly engine: string;
  readonly workers: number;
  /**
   * Null where the method begins with random weights. `validationAccuracy` is null in the paper's mode, where fitness
   * is test accuracy.
   */
  readonly alpha: {
    readonly validationAccuracy: number | null;
    readonly testAccuracy: number;
    readonly epochs: number;
  } | null;
  readonly best: { readonly mask: string; readonly validationAccuracy: number | null; readonly testAccuracy: number };
  /** How the best individual compares with alpha on what fitness is measured on; null where the method has no masks. */
  readonly verdict: Verdict | null;
  /** Published figures beside the measured ones; null where the experiment has none. */
  readonly expectation: ExpectedAndMeasured | null;
  readonly generations: number;
  readonly evaluations: number;
  readonly cacheHits: number;
  readonly epochsTrained: number;
  /** The budget spent: training images, alpha's among them. */
  readonly imagesTrained: number;
  readonly seconds: number;
}

export type Watch = (event: RunEvent) => void;
