import type { Dispatcher, JournalLine } from '@nesgd/core/run';
import type { Watch } from '../run-events.js';

/**
 * A dispatcher that says, once for each, when a result comes from another kind of processor than those before it in
 * the run: the seed alone does not give the run's result then.
 */
export function notingProcessors(dispatcher: Dispatcher, lines: readonly JournalLine[], watch: Watch): Dispatcher {
  const kinds = new Set(lines.flatMap(({ meta }) => meta.provenance?.processor ?? []));
  return {
    async dispatch(job, handlers) {
      const outcome = await dispatcher.dispatch(job, handlers);
      const { processor, worker } = outcome.provenance;
      if (processor === undefined || kinds.has(processor)) return outcome;
      const others = [...kinds].join(' and ');
      kinds.add(processor);
      if (others)
        watch({
          type: 'notice',
          text: mixedProcessors(`worker ${worker} computes on ${processor}, others on ${others}`),
        });
      return outcome;
    },
    close: () => dispatcher.close(),
  };
}

/** @param who computes on what. */
export const mixedProcessors = (who: string): string =>
  `${who}: kinds of processors differ in the last bits of what they compute, so a run on several may not be repeated bit for bit by its seed`;
