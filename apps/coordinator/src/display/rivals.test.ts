import { expect, test } from 'vitest';
import type { RunEvent } from '../run-events.js';
import { run, summary } from './example-run.fixture.js';
import { createDisplay } from './index.js';

test.each([
  [
    'random-masks',
    [
      '20 rounds of 5 individuals',
      'round 1/20: 5 individuals to retrain',
      'round 1/20: best 0.9800, mask 11011, nabla 0.0300',
      '20 rounds, 100 individuals: 99 retrained, 1 known already; 12 epochs trained',
      'every round of this run',
    ],
  ],
  [
    'sgd',
    [
      '20 rounds of 5 networks',
      'round 1/20: 5 networks',
      'round 1/20: best 0.9800, nabla 0.0300',
      '20 rounds, 100 networks measured; 12 epochs trained',
      'every round of this run',
    ],
  ],
  [
    'esgd',
    [
      '20 generations of 5 networks',
      'generation 1/20: 5 networks',
      'generation 1/20: best 0.9800, nabla 0.0300',
      '20 generations, 100 networks measured; 12 epochs trained',
      'every generation of this run',
    ],
  ],
  [
    'pbt',
    [
      '20 steps of 5 networks',
      'step 1/20: 5 networks',
      'step 1/20: best 0.9800, nabla 0.0300',
      '20 steps, 100 networks measured; 12 epochs trained',
      'every step of this run',
    ],
  ],
] as const)('plain: %s speaks of its rounds and of what it measures in its own words', (method, said) => {
  let text = '';
  const write = (part: string) => {
    text += part;
  };
  const display = createDisplay({ stream: { write, hasColors: () => false }, mode: 'plain' });
  const closed = { t: 1, bestAccuracy: 0.98, bestMask: '11011', nabla: 0.03, suppressed: 0 };
  const counts = { generations: 20, evaluations: 100 };
  const events: RunEvent[] = [
    { type: 'opened', run: { ...run, method, populationSize: 5, generations: 20 } },
    { type: 'phase', phase: { name: 'generation', t: 1, of: 20 }, total: 5, answered: 0 },
    { type: 'generation-closed', ...closed },
    { type: 'finished', summary: { ...summary, method, ...counts }, folder: 'runs/example-1' },
  ];
  for (const event of events) display.watch(event);
  display.close();
  const lines = text.split('\n').map((line) => line.replace(/^ +(\d+:\d\d)? +/, '').replace(/^next .* {2}/, ''));
  expect(lines.filter((line) => /round|step|generation/.test(line))).toEqual(said);
});
