import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** Traces as a collector gets them: by OTLP over HTTP, from every process of a run. */

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}
interface TracesRequest {
  readonly resourceSpans: readonly {
    readonly resource: Pick<Span, 'attributes'>;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

let workplace: Workplace;
let experiment: string;
let collector: Server;
let endpoint: string;
const spans: (Span & { readonly service: string | undefined })[] = [];

const attribute = ({ attributes }: Pick<Span, 'attributes'>, key: string) =>
  attributes.find((one) => one.key === key)?.value.stringValue;

beforeAll(async () => {
  workplace = await Workplace.create();
  experiment = await writeExperiment(
    join(workplace.folder, 'tiny.yaml'),
    tinyExperiment({ evolution: { populationSize: 2, generations: 1 } }),
  );
  collector = createServer(async (request, response) => {
    const { resourceSpans } = JSON.parse(await text(request)) as TracesRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = attribute(resource, 'service.name');
      spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service }))));
    }
    response.setHeader('Content-Type', 'application/json').end('{}');
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterAll(async () => {
  collector.close();
  collector.closeAllConnections();
  await workplace.destroy();
});

it('a run is one trace over coordinator, queue and worker, down to each training', async () => {
  const args = ['run', experiment, '--run-id', 'traced', '--workers', '1', '--json'];
  await workplace.start(args, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).summary();

  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const lineOf = (span: (typeof spans)[number]): string[] => {
    const parent = byId.get(span.parentSpanId ?? '');
    return [`${span.service}: ${span.name}`, ...(parent ? lineOf(parent) : [])];
  };
  const trainings = spans.filter(({ name }) => name === 'trainer').map(lineOf);
  const lines = trainings.filter((line) => line.includes('nesgd-coordinator: evaluate'));
  expect(lines.length).toBeGreaterThanOrEqual(2);
  for (const line of lines) {
    expect(line[0]).toBe('nesgd-worker: trainer');
    expect(line.slice(-3)).toEqual([
      'nesgd-coordinator: evaluate',
      'nesgd-coordinator: generation',
      'nesgd-coordinator: run',
    ]);
  }
  expect(trainings.length).toBe(
    spans.filter(({ service, name }) => service === 'nesgd-worker' && name === 'trainer').length,
  );
  const evaluations = spans.filter(({ name }) => name === 'evaluate');
  expect(evaluations.map((span) => attribute(span, 'nesgd.mask')?.length)).toEqual(evaluations.map(() => 5));
});

it('without the variable, or with a collector that is gone, a run is as ever', async () => {
  const before = spans.length;
  const args = (runId: string) => ['run', experiment, '--run-id', runId, '--workers', '1', '--json'];
  await workplace.start(args('quiet')).summary();
  await workplace.start(args('lonely'), { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }).summary();
  expect(spans.length).toBe(before);
});
