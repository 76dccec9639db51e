import type { Job } from '@nesgd/core/protocol';
import type { Dispatcher, JobOutcome, JournalLine } from '@nesgd/core/run';
import { expect, it } from 'vitest';
import type { RunEvent } from '../run-events.js';
import { notingProcessors } from './noting-processors.js';

const JOB = {} as Job;

/** Results that come from these processors, one after the other. */
async function notes(earlier: string[], processors: (string | undefined)[]): Promise<string[]> {
  const events: RunEvent[] = [];
  const lines = earlier.map((processor) => ({ meta: { provenance: { processor } } }) as JournalLine);
  let job = 0;
  const from: Dispatcher = {
    async dispatch() {
      const processor = processors[job++];
      return {
        provenance: { worker: `w${job}`, engine: '', seconds: 1, ...(processor && { processor }) },
      } as JobOutcome;
    },
    close: async () => {},
  };
  const dispatcher = notingProcessors(from, lines, (event) => events.push(event));
  for (const _ of processors) await dispatcher.dispatch(JOB);
  return events.map((event) => (event.type === 'notice' ? event.text.replace(/: kinds .*/, '') : event.type));
}

it('says nothing of processors of one kind, nor where the kind plays no part', async () => {
  expect(await notes([], ['A', 'A', 'A'])).toEqual([]);
  expect(await notes(['A'], ['A', undefined])).toEqual([]);
});

it('says once of each further kind who computes on it, also where the journal has results of another', async () => {
  expect(await notes([], ['A', 'B', 'A', 'B'])).toEqual(['worker w2 computes on B, others on A']);
  expect(await notes(['A', 'B'], ['C', 'B'])).toEqual(['worker w1 computes on C, others on A and B']);
});
