import type { AlphaFact, EvaluatedFact, JournalLine, OpenedFact, TrainedFact } from '@nesgd/core/run';
import { generationRows } from '../status/generation-row.js';
import { eventFile, type Scalar } from './event-file.js';

/** What TensorBoard looks for in a file's name; without time and host, so that writing again replaces. */
const FILE_NAME = 'events.out.tfevents.0.nesgd';

/**
 * A run as TensorBoard shows it: each folder is one of its "runs". `alpha` and `individuals/<mask>` have a step an epoch
 * (an individual goes on where alpha ended, as in Fig. 3), `search` has a step a
 * generation, or a step of a method without masks.
 * @returns files by path. Epochs have the time of the fact that they are of: the journal knows no other.
 */
export function tensorBoardFiles(lines: readonly JournalLine[], opened: OpenedFact): Map<string, Uint8Array> {
  const { fitness } = opened.experiment;
  const folders = new Map<string, Scalar[]>();
  const add = (folder: string, scalars: readonly Scalar[]) =>
    folders.set(folder, [...(folders.get(folder) ?? []), ...scalars]);
  const rows = generationRows(lines, opened);
  let alphaEpochs = 0;
  for (const { fact, meta } of lines) {
    const at = Date.parse(meta.at);
    if (fact.type === 'alpha') {
      alphaEpochs = fact.curve.length;
      add('alpha', curve(fact, { fitness, at, from: 0 }));
    } else if (fact.type === 'evaluated') {
      const again = fact.repeat === 0 ? '' : `-again-${fact.repeat}`;
      add(`individuals/${fact.mask}${again}`, curve(fact, { fitness, at, from: alphaEpochs }));
    } else if (fact.type === 'trained') {
      add(`individuals/${fact.id}`, curve(fact, { fitness, at, from: alphaEpochs }));
    } else if (fact.type === 'generation' || (fact.type === 'step' && fact.population.length > 0)) {
      const { t, best, median, nabla, suppressed } = rows.find((row) => row.t === fact.t)!;
      const values = { best, median, nabla, suppressed };
      add(
        'search',
        Object.entries(values).map(([name, value]) => ({ tag: `search/${name}`, step: t, value, at })),
      );
    } else if (fact.type === 'tested') {
      add(fact.which === 'alpha' ? 'alpha' : 'search', [
        { tag: `accuracy/test of ${fact.which}`, step: 0, value: fact.accuracy, at },
      ]);
    }
  }
  return new Map([...folders].map(([folder, scalars]) => [`${folder}/${FILE_NAME}`, eventFile(scalars)]));
}

/** Epochs that were not measured, and losses that were no numbers, are left out. */
function curve(
  { curve: records }: AlphaFact | EvaluatedFact | TrainedFact,
  { fitness, at, from }: { fitness: string; at: number; from: number },
): Scalar[] {
  return records.flatMap(({ epoch, trainLoss, accuracy }): Scalar[] => {
    const values = { 'loss/train': trainLoss, [`accuracy/${fitness}`]: accuracy };
    return Object.entries(values).flatMap(([tag, value]) =>
      value === null ? [] : [{ tag, step: from + epoch, value, at }],
    );
  });
}
