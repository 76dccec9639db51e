import { type EvaluationContext, type Individual, type Mask, maskToString, neSgd } from '@nesgd/core/evolution';
import { type Fact, JOURNAL_VERSION, type JournalLine, type OpenedFact, parseExperiment } from '@nesgd/core/run';
import { expect, test } from 'vitest';
import { generationRows } from './generation-row.js';

function openedFact(evolution: Record<string, unknown>): OpenedFact {
  const experiment = parseExperiment(
    {
      name: 'example',
      seed: 1,
      dataset: { name: 'mnist' },
      model: { name: 'resnet8' },
      alpha: { epochs: 1, learningRate: 0.1 },
      retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution,
    },
    'the test',
  );
  const dataset = 'a'.repeat(64);
  const augmentation = { padCrop: 0, horizontalFlip: false };
  return {
    type: 'opened',
    version: JOURNAL_VERSION,
    runId: 'example-1',
    experiment,
    runtime: { engine: 'wasm', threads: 1 },
    data: { dataset, trainImages: null, testImages: null, validationFraction: 0.1, augmentation },
    imageShape: [28, 28, 1],
    classNames: ['0', '1'],
    blocks: [],
  };
}

/** Journals a search as a coordinator does: each genome once, and once more for each time it is measured anew. */
async function journal(opened: OpenedFact): Promise<JournalLine[]> {
  const facts: Fact[] = [opened];
  const known = new Set<string>();
  const evaluate = async (masks: readonly Mask[], { generation, again }: EvaluationContext): Promise<Individual[]> =>
    masks.map((mask) => {
      const repeat = again ? generation : 0;
      const text = maskToString(mask);
      const fitness = mask.filter((bit) => bit === 1).length / mask.length;
      if (!known.has(`${text}/${repeat}`)) {
        facts.push({
          type: 'evaluated',
          mask: text,
          repeat,
          accuracy: fitness,
          curve: [],
          weights: null,
          imagesTrained: 1,
        });
      }
      known.add(`${text}/${repeat}`);
      return { mask, fitness };
    });
  const params = { ...opened.experiment.evolution, seed: 1, genomeLength: 6 };
  for await (const generation of neSgd(params, evaluate)) facts.push({ type: 'generation', ...generation });
  return facts.map((fact, seq) => ({ seq, meta: { at: '2026-01-31T12:00:00.000Z' }, fact }));
}

test('generationRows: what was retrained and what was known add up to what the algorithm asked for', async () => {
  const opened = openedFact({ populationSize: 5, generations: 4 });
  const rows = generationRows(await journal(opened), opened);
  expect(rows.map(({ t, evaluated, cacheHits }) => [t, evaluated + cacheHits])).toEqual(
    [0, 1, 2, 3, 4].map((t) => [t, 5]),
  );
  for (const row of rows) expect(row.cacheHits).toBeGreaterThanOrEqual(0);
  expect(rows.some(({ cacheHits }) => cacheHits > 0)).toBe(true);
});

test('generationRows: survivors that are measured anew, from the second generation on, were asked for too', async () => {
  const opened = openedFact({ populationSize: 5, generations: 3, reevaluateSurvivors: true });
  const rows = generationRows(await journal(opened), opened);
  expect(rows.map(({ evaluated, cacheHits }) => evaluated + cacheHits)).toEqual([5, 5, 10, 10]);
  for (const row of rows) expect(row.cacheHits).toBeGreaterThanOrEqual(0);
});
