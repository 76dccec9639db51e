import { useState } from 'preact/hooks';
import { formatAccuracy } from '../model/format.js';
import type { RunModel } from '../model/run-model.js';
import { GenerationChoice } from '../ui/generation-choice.js';
import { Table } from '../ui/table.js';

/** The networks that a method without masks goes on with after each of its rounds. */
export function Networks({ model, round }: { model: RunModel; round: string }) {
  const [chosen, setChosen] = useState<number>();
  const step = model.steps.find(({ t }) => t === chosen) ?? model.steps.at(-1);
  if (!step) return null;
  const trainings = new Map(model.individuals.map((individual) => [individual.name, individual]));
  const members = step.population.toSorted((a, b) => b.accuracy - a.accuracy);
  return (
    <>
      <h2>Networks</h2>
      <div class="controls">
        <GenerationChoice round={round} generations={model.steps} chosen={chosen} choose={setChosen} />
      </div>
      <Table
        caption={`What ${round} ${step.t} ends with, most accurate first; the best so far is ${step.best?.id ?? 'not there yet'}`}
        columns={[
          { title: 'Network' },
          { title: 'Accuracy', isNumber: true },
          { title: 'Loss', isNumber: true },
          { title: 'Epochs in it', isNumber: true },
          { title: 'Images', isNumber: true },
          { title: 'Worker' },
        ]}
        rows={members.map(({ id, accuracy }, i) => {
          const training = trainings.get(id);
          return {
            key: `${id} ${i}`,
            isMarked: id === step.best?.id,
            cells: [
              <span class="mask">{id || 'not trained yet'}</span>,
              formatAccuracy(accuracy),
              formatAccuracy(training?.curve.at(-1)?.trainLoss),
              training?.curve.length ?? '–',
              training ? training.imagesTrained.toLocaleString('en') : '–',
              training?.worker ?? '–',
            ],
          };
        })}
      />
    </>
  );
}
