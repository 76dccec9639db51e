import { z } from 'zod';

/** What a worker says of itself in its health file, and what follows from it. All durations are in milliseconds. */
export const healthReportSchema = z.strictObject({
  /** When it was written, on the machine's monotonic clock (see `monotonicMs`). */
  writtenAtMs: z.number(),
  /** How often it is written. */
  everyMs: z.number().positive(),
  /** Since the broker's last answer. */
  brokerSilentMs: z.number().min(0),
  /** Since the trainer's last sign of life; null while there is no trainer, which the next job brings. */
  trainerSilentMs: z.number().min(0).nullable(),
  /** Why the worker could not do the job that it met last. */
  refusal: z.string().nullable(),
});
export type HealthReport = z.infer<typeof healthReportSchema>;

/** Reports, and the broker's answers, that may be missed. */
const BEATS_MISSED = 5;
/** Twice as long as one step of the largest network takes on a slow processor; the watchdog's patience is longer. */
const TRAINER_SILENCE_MS = 120_000;

/** One clock for all processes of a machine, which no setting of the time moves. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

/** Whether the worker itself is stuck: starting it anew is all that helps. */
export function stuckFault({ writtenAtMs, everyMs }: HealthReport, nowMs: number): string | undefined {
  const ageMs = nowMs - writtenAtMs;
  // Of before the machine's last start.
  if (ageMs < 0) return 'the worker has not reported since the machine was started';
  return ageMs > BEATS_MISSED * everyMs ? `the worker has not reported for ${seconds(ageMs)}` : undefined;
}

/** Why the worker does no jobs just now; empty where nothing stands in its way. */
export function faultsOf(report: HealthReport, nowMs: number): string[] {
  const stuck = stuckFault(report, nowMs);
  if (stuck) return [stuck];
  const { brokerSilentMs, trainerSilentMs, refusal, everyMs } = report;
  return [
    ...(brokerSilentMs > BEATS_MISSED * everyMs ? [`the broker has not answered for ${seconds(brokerSilentMs)}`] : []),
    ...(trainerSilentMs !== null && trainerSilentMs > TRAINER_SILENCE_MS
      ? [`the trainer has not answered for ${seconds(trainerSilentMs)}`]
      : []),
    ...(refusal === null ? [] : [`the worker could not do the job that it met last: ${refusal}`]),
  ];
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
