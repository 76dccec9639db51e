import type { BullMQOtel } from 'bullmq-otel';
import type { SpanAttributes, Tracing } from './spans.js';

let current: Tracing | undefined;

/**
 * Records spans from now on where the environment says whom to send them to (`OTEL_EXPORTER_OTLP_ENDPOINT`, or the one
 * for traces alone); else nothing of OpenTelemetry is even loaded.
 * @param service the process's name in traces, where `OTEL_SERVICE_NAME` does not give another.
 */
export async function startTracing(env: NodeJS.ProcessEnv, service: string): Promise<void> {
  if (current || env.OTEL_SDK_DISABLED === 'true') return;
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return;
  const { openTelemetry } = await import('./open-telemetry.js');
  current = openTelemetry(service);
}

/** Does the work as a span below the one that it is called in; where nothing is recorded, only the work. */
export function inSpan<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
  return current ? current.inSpan(name, attributes, work) : work();
}

/** For BullMQ's options, to be spread into them: they do not take `telemetry: undefined`. */
export function queueTelemetry(): { telemetry?: BullMQOtel } {
  return current ? { telemetry: current.telemetry } : {};
}

/** To be awaited before the process ends, or its last spans are lost. A collector that hangs is not waited for. */
export async function endTracing(): Promise<void> {
  await current?.end();
  current = undefined;
}
