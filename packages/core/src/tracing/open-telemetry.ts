import { SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
} from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import { RUN_SPAN, type Tracing } from './spans.js';

/** What a process that ends gives a collector that does not answer. */
const END_TIMEOUT_MS = 3_000;

/** BullMQ has a span for each look at the queue and each lock renewed: traces of their own, all day long, of nothing. */
const RUNS_ONLY: Sampler = {
  shouldSample: (_context, _traceId, name) => ({
    decision: name === RUN_SPAN ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
  }),
  toString: () => 'runs only',
};

/**
 * OpenTelemetry's own SDK, as its environment variables set it up: endpoint, headers, batches, resource attributes.
 * Only `startTracing` loads this file.
 */
export function openTelemetry(service: string): Tracing {
  const own = resourceFromAttributes({ 'service.name': service });
  const resource = defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
  const spanProcessors = [new BatchSpanProcessor(new OTLPTraceExporter())];
  const sampler = new ParentBasedSampler({ root: RUNS_ONLY });
  const provider = new NodeTracerProvider({ resource, sampler, spanProcessors });
  provider.register(); // With W3C trace context, and contexts that follow promises.
  const tracer = trace.getTracer('nesgd');
  return {
    telemetry: new BullMQOtel({ tracerName: 'nesgd' }),
    inSpan: (name, attributes, work) =>
      tracer.startActiveSpan(name, { attributes }, async (span) => {
        try {
          return await work();
        } catch (error) {
          const { message } = error instanceof Error ? error : { message: String(error) };
          span.recordException(error instanceof Error ? error : message);
          span.setStatus({ code: SpanStatusCode.ERROR, message });
          throw error;
        } finally {
          span.end();
        }
      }),
    async end() {
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, END_TIMEOUT_MS);
      });
      await Promise.race([provider.shutdown().catch(() => {}), timeout]);
      clearTimeout(timer);
    },
  };
}
