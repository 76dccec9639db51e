import type { BullMQOtel } from 'bullmq-otel';

/** The span that a trace begins with; what stands below none is not recorded. */
export const RUN_SPAN = 'run';

/** What a span is about, by `nesgd.*` names. Undefined ones are left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A process that records spans. */
export interface Tracing {
  /** Carries the context through the queue: for `Queue` and `Worker` of BullMQ. */
  readonly telemetry: BullMQOtel;
  inSpan<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /** Sends what is not sent yet. */
  end(): Promise<void>;
}
