import type { LiveStatus } from '@nesgd/core/view';
import { formatAccuracy, formatCount, formatDifference, formatDuration, formatTime } from '../model/format.js';
import { Nothing, Problem } from '../ui/states.js';
import { Table } from '../ui/table.js';
import type { ViewProps } from './view-props.js';

/** Where the run stands, at a glance. */
export function Overview({ model, opened, pulse }: ViewProps) {
  const { experiment } = opened;
  const { evolution } = experiment;
  const { alpha, best, generations } = model;
  const asked = evolution.populationSize * (evolution.generations + 1);
  const failures = model.individuals.filter(({ failure }) => failure !== undefined).length;
  const isNeSgd = experiment.method.name === 'ne-sgd';
  const gain = alpha && best ? best.accuracy - alpha.accuracy : undefined;
  return (
    <>
      <p class="faint">
        {experiment.method.name}: {experiment.model.name} on {experiment.dataset.name},{' '}
        {isNeSgd && `${evolution.generations} generations of ${evolution.populationSize}, `}
        {experiment.budget !== undefined && `a budget of ${formatCount(experiment.budget)} images, `}
        seed {experiment.seed}
      </p>
      {model.divergence && <Problem>{model.divergence}</Problem>}
      <dl class="cards">
        <Card
          name="Best so far"
          value={formatAccuracy(best?.accuracy)}
          note={gain === undefined ? 'no individual yet' : `${formatDifference(gain)} against alpha`}
        />
        <Card
          name="Alpha"
          value={formatAccuracy(alpha?.accuracy)}
          note={alpha ? (alpha.reused ? 'from an earlier run' : `${alpha.curve.length} epochs`) : 'not trained yet'}
        />
        <Card
          name="Test accuracy"
          value={formatAccuracy(model.tested.get('best'))}
          note={`alpha ${formatAccuracy(model.tested.get('alpha'))}`}
        />
        {model.searchesMasks ? (
          <Card
            name="Generation"
            value={`${generations.at(-1)?.t ?? '–'}${isNeSgd ? ` of ${evolution.generations}` : ''}`}
            note={generations.length > 0 ? `nabla ${formatAccuracy(generations.at(-1)?.nabla)}` : 'none closed yet'}
          />
        ) : (
          <Card name="Step" value={String(model.steps.at(-1)?.t ?? '–')} note={experiment.method.name} />
        )}
        <Card
          name="Individuals retrained"
          value={formatCount(model.individuals.length - failures)}
          note={
            failures > 0
              ? `${formatCount(failures)} given up`
              : isNeSgd
                ? `at most ${formatCount(evolution.reevaluateSurvivors ? 2 * asked : asked)}`
                : ''
          }
        />
        <Card
          name="Budget spent"
          value={`${formatCount(model.epochsTrained)} epochs`}
          note={`${formatCount(model.imagesTrained)} images`}
        />
        <Card
          name="Time left"
          value={timeLeft(pulse.live, pulse.state)}
          note={`started ${formatTime(model.startedAt)}`}
        />
      </dl>
      <h2>Just now</h2>
      <JustNow live={pulse.live} state={pulse.state} />
      {best && model.searchesMasks && (
        <>
          <h2>Best mask</h2>
          <p class="mask">{best.mask}</p>
          <Table
            caption="What it does with each block"
            columns={[{ title: 'Block' }, { title: 'Weights' }, { title: 'Parameters', isNumber: true }]}
            rows={opened.blocks.map(({ name, parameters }, i) => ({
              key: i,
              cells: [name, best.mask[i] === '1' ? 'kept' : 're-initialised', formatCount(parameters)],
            }))}
          />
        </>
      )}
    </>
  );
}

function Card({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        <small>{note}</small>
      </dd>
    </div>
  );
}

function timeLeft(live: LiveStatus | null, state: ViewProps['pulse']['state']): string {
  if (state !== 'running') return state;
  return live?.remainingMs == null ? 'not known yet' : `about ${formatDuration(live.remainingMs)}`;
}

function JustNow({ live, state }: Pick<ViewProps['pulse'], 'live' | 'state'>) {
  if (state !== 'running')
    return (
      <Nothing>{state === 'stopped' ? 'No process works on it; "nesgd resume" goes on.' : 'The run is over.'}</Nothing>
    );
  if (!live || live.active.length === 0) return <Nothing>No job is under way.</Nothing>;
  return (
    <Table
      caption="Trainings under way"
      columns={[
        { title: 'Job' },
        { title: 'Worker' },
        { title: 'Epoch', isNumber: true },
        { title: 'Accuracy', isNumber: true },
        { title: 'Loss', isNumber: true },
        { title: 'Images/s', isNumber: true },
      ]}
      rows={live.active.map(({ id, text, worker, epochs, imagesPerSecond, curve }) => {
        const last = curve.at(-1);
        return {
          key: id,
          cells: [
            <span class="mask">{text}</span>,
            worker,
            epochs === null ? '–' : `${last?.epoch ?? 0} of ${epochs}`,
            formatAccuracy(last?.accuracy),
            formatAccuracy(last?.trainLoss),
            imagesPerSecond === null ? '–' : formatCount(Math.round(imagesPerSecond)),
          ],
        };
      })}
    />
  );
}
