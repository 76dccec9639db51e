import type { LiveStatus } from '@nesgd/core/view';
import { formatAccuracy, formatCount, formatDifference, formatDuration, formatTime } from '../model/format.js';
import { capitalised, runWords } from '../model/method-words.js';
import { Nothing, Problem } from '../ui/states.js';
import { Table } from '../ui/table.js';
import type { ViewProps } from './view-props.js';

/** Where the run stands, at a glance. */
export function Overview({ model, opened, pulse }: ViewProps) {
  const { experiment } = opened;
  const { evolution } = experiment;
  const { alpha, best } = model;
  const words = runWords(experiment);
  const closed = model.populations.at(-1);
  const asked = evolution.populationSize * (evolution.generations + 1);
  const failures = model.individuals.filter(({ failure }) => failure !== undefined).length;
  /** ESGD's offspring are means of networks: nothing is trained for them. */
  const measuredOnly = model.searchesMasks
    ? 0
    : model.individuals.filter(({ curve, failure }) => curve.length === 0 && failure === undefined).length;
  const trained = model.individuals.length - failures - measuredOnly;
  const isNeSgd = experiment.method.name === 'ne-sgd';
  const gain = alpha && best ? best.accuracy - alpha.accuracy : undefined;
  return (
    <>
      <p class="faint">
        {experiment.method.name}: {experiment.model.name} on {experiment.dataset.name},{' '}
        {words.last !== null && `${words.last} ${words.last === 1 ? words.round : words.rounds}, `}
        {model.searchesMasks && `populations of ${evolution.populationSize}, `}
        {experiment.budget !== undefined && `a budget of ${formatCount(experiment.budget)} images, `}
        seed {experiment.seed}
      </p>
      {model.divergence && <Problem>{model.divergence}</Problem>}
      <dl class="cards">
        <Card
          name="Best so far"
          value={formatAccuracy(best?.accuracy)}
          note={
            gain === undefined
              ? (best?.name ?? `no ${words.individual} yet`)
              : `${formatDifference(gain)} against alpha`
          }
        />
        {words.usesAlpha && (
          <Card
            name="Alpha"
            value={formatAccuracy(alpha?.accuracy)}
            note={alpha ? (alpha.reused ? 'from an earlier run' : `${alpha.curve.length} epochs`) : 'not trained yet'}
          />
        )}
        <Card
          name="Test accuracy"
          value={formatAccuracy(model.tested.get('best'))}
          note={
            words.usesAlpha
              ? `alpha ${formatAccuracy(model.tested.get('alpha'))}`
              : model.tested.has('best')
                ? 'of the best'
                : 'looked at once, at the end'
          }
        />
        <Card
          name={capitalised(words.round)}
          value={`${closed?.t ?? '–'}${words.last === null ? '' : ` of ${words.last}`}`}
          note={closed ? `nabla ${formatAccuracy(closed.nabla)}` : 'none closed yet'}
        />
        <Card
          name={model.searchesMasks ? 'Individuals retrained' : 'Networks trained'}
          value={formatCount(trained)}
          note={
            failures > 0
              ? `${formatCount(failures)} given up`
              : isNeSgd
                ? `at most ${formatCount(evolution.reevaluateSurvivors ? 2 * asked : asked)}`
                : measuredOnly > 0
                  ? `${formatCount(measuredOnly)} more made of them, and measured`
                  : ''
          }
        />
        <Card
          name="Budget spent"
          value={`${formatCount(model.epochsTrained)} epochs`}
          note={`${formatCount(model.imagesTrained)} images${
            experiment.budget === undefined
              ? ''
              : `, ${Math.round((100 * model.imagesTrained) / experiment.budget)} % of ${formatCount(experiment.budget)}`
          }`}
        />
        {pulse.state === 'running' ? (
          <Card name="Time left" value={timeLeft(pulse.live)} note={`started ${formatTime(model.startedAt)}`} />
        ) : (
          <Card
            name="Start to last fact"
            value={formatDuration(Date.parse(model.lastFactAt) - Date.parse(model.startedAt))}
            note={`started ${formatTime(model.startedAt)}`}
          />
        )}
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

function timeLeft(live: LiveStatus | null): string {
  return live?.remainingMs == null ? 'not known yet' : `about ${formatDuration(live.remainingMs)}`;
}

function JustNow({ live, state }: Pick<ViewProps['pulse'], 'live' | 'state'>) {
  if (state !== 'running')
    return <Nothing>{state === 'stopped' ? 'No process works on it; Resume goes on.' : 'The run is over.'}</Nothing>;
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
