export { RUN_SPAN } from './spans.js';
export { endTracing, inSpan, queueTelemetry, startTracing } from './tracing.js';
