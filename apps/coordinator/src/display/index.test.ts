import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { typed } from '../invocation.js';
import type { RunEvent } from '../run-events.js';
import { job, progress, run, story, summary } from './example-run.fixture.js';
import { chooseDisplayMode, createDisplay, type Display } from './index.js';
import { Screen } from './screen.fixture.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Plays the example run to a display, the clock going with it. */
async function play(display: Display, events = story): Promise<void> {
  let clock = 0;
  for (const [at, event] of events) {
    await vi.advanceTimersByTimeAsync(at - clock);
    clock = at;
    display.watch(event);
  }
}

const result = [
  '',
  'example-1 finished in 1m 15s',
  'mnist, resnet8, engine tensorflow',
  '',
  'accuracy  validation      test',
  'alpha         0.9700    0.9680',
  'best          0.9800    0.9755  +0.0075 on the test set',
  '',
  'best mask  11011  4 blocks kept, 1 re-initialised',
  '1 generation, 6 individuals: 5 retrained, 1 known already; 12 epochs trained',
  'folder     runs/example-1',
  `next       ${typed('nesgd status example-1')}  every generation of this run`,
];

test('plain: one line for each event that matters, with the time since the start and no escape codes', async () => {
  let text = '';
  const stream = {
    write: (part: string) => {
      text += part;
    },
    hasColors: () => true,
  };
  const display = createDisplay({ stream, mode: 'plain' });
  await play(display);
  display.close();
  expect(text.split('\n')).toEqual([
    '  0:00  reading data set mnist',
    '  0:00  note: engine wasm: TensorFlow is missing',
    '          "npm run setup" gets it',
    '  0:01  starting run example-1 of experiment example in runs/example-1',
    '        data mnist: 5,400 training, 600 validation, 10,000 test images',
    '        model resnet8: 5 blocks; engine tensorflow, 1 thread a worker',
    '        2 workers, broker redis://127.0.0.1:6379',
    '        population 3, 1 generation',
    '  0:01  alpha: training the checkpoint',
    '  0:11  alpha: epoch 1/2, loss 0.2500, 540 images/s',
    '  0:21  alpha: epoch 2/2, loss 0.2500, accuracy 0.9700, 540 images/s',
    '  0:21  alpha: 0.9700  20.4 s on w-1',
    '  0:22  generation 0/1: 3 individuals to retrain',
    '  0:33  retry: 00011: worker w-2 went silent',
    '  0:42    11011  0.9800  20.0 s on w-1  1/3',
    '  1:02    00011  0.9000  20.0 s on w-1  2/3',
    '  1:02    10000  0.9100  10.0 s on w-2  3/3',
    '  1:03  generation 0/1: best 0.9800 +0.0100 on alpha, mask 11011, nabla 0.0800, 0 suppressed',
    '  1:03  generation 1/1: 2 individuals to retrain, 1 known already',
    '  1:10    11111  0.9600  7.0 s on w-1  1/2',
    '  1:10    11000  0.9500  7.0 s on w-2  2/2',
    '  1:11  generation 1/1: best 0.9800 +0.0100 on alpha, mask 11011, nabla 0.0300, 1 suppressed',
    '  1:11  test set: 2 measurements',
    '  1:13  test of alpha: 0.9680  1.5 s on w-1',
    '  1:13  test of best: 0.9755  1.5 s on w-2',
    ...result,
    '',
  ]);
});

test('tty: at the end the screen holds what lasts, in order, and nothing of the live view', async () => {
  const screen = new Screen(100, 12);
  const display = createDisplay({ stream: screen, mode: 'tty' });
  await play(display);
  display.close();
  expect(screen.text).toEqual([
    '  0:00  note: engine wasm: TensorFlow is missing',
    '          "npm run setup" gets it',
    '  0:21  alpha: 0.9700  20.4 s on w-1',
    '  0:33  retry: 00011: worker w-2 went silent',
    '  1:03  generation 0/1: best 0.9800 +0.0100 on alpha, mask 11011, nabla 0.0800, 0 suppressed',
    '  1:11  generation 1/1: best 0.9800 +0.0100 on alpha, mask 11011, nabla 0.0300, 1 suppressed',
    ...result,
  ]);
});

test('tty: midway the live view stands below what lasts', async () => {
  const screen = new Screen(100, 12);
  const display = createDisplay({ stream: screen, mode: 'tty' });
  await play(
    display,
    story.filter(([at]) => at <= 32_000),
  );
  await vi.advanceTimersByTimeAsync(100);
  expect(screen.text.slice(3)).toEqual([
    'example-1  mnist  resnet8, 5 blocks  tensorflow  2 workers  redis://127.0.0.1:6379',
    `alpha             ${'━'.repeat(40)}  2/2 epochs   accuracy 0.9700`,
    `generation 0/1    ${'─'.repeat(40)}  0/3`,
    `  w-1  11011  ${'━'.repeat(17)}${'─'.repeat(18)}  1/2   loss 0.2500  accuracy 0.9500  540 images/s`,
    '  w-2  00011  starting',
    'elapsed 32s, about 1m 00s left',
  ]);
  display.close();
});

test('tty: redrawn at most ten times a second however many events there are, and the clock goes on without any', async () => {
  const screen = new Screen(100, 24);
  const display = createDisplay({ stream: screen, mode: 'tty' });
  display.watch({ type: 'opened', run });
  for (let i = 0; i < 1_000; i++) {
    display.watch({ type: 'job-progress', job: job('110'), worker: 'w-1', progress: progress(1 + (i % 5), 5) });
    await vi.advanceTimersByTimeAsync(1);
  }
  expect(screen.writes.length).toBeGreaterThanOrEqual(9);
  expect(screen.writes.length).toBeLessThanOrEqual(11);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(screen.text.at(-1)).toBe('elapsed 10s');
  display.close();
});

test('tty: after close nothing is drawn, the cursor is back and no listener is left', async () => {
  const listeners = process.listenerCount('exit');
  const screen = new Screen(100, 24);
  const display = createDisplay({ stream: screen, mode: 'tty' });
  await play(
    display,
    story.filter(([at]) => at <= 32_000),
  );
  display.close();
  const writes = screen.writes.length;
  display.watch({ type: 'notice', text: 'too late' });
  await vi.advanceTimersByTimeAsync(5_000);
  display.close();
  expect(screen.writes).toHaveLength(writes);
  expect(screen.cursorVisible).toBe(true);
  expect(process.listenerCount('exit')).toBe(listeners);
  expect(vi.getTimerCount()).toBe(0);
});

test('tty: a run refused before it began leaves its notices only', async () => {
  const screen = new Screen(100, 24);
  const display = createDisplay({ stream: screen, mode: 'tty' });
  await play(
    display,
    story.filter(([at]) => at < 1_000),
  );
  await vi.advanceTimersByTimeAsync(2_000);
  display.close();
  expect(screen.text).toEqual([
    '  0:00  note: engine wasm: TensorFlow is missing',
    '          "npm run setup" gets it',
  ]);
  const untouched = new Screen(100, 24);
  createDisplay({ stream: untouched, mode: 'tty' }).close();
  expect(untouched.writes).toEqual([]);
});

test('tty: colours where the terminal has them, none where it has not (NO_COLOR)', () => {
  for (const colours of [true, false]) {
    const writes: string[] = [];
    const stream = { write: (text: string) => writes.push(text), hasColors: () => colours };
    const display = createDisplay({ stream, mode: 'tty' });
    display.watch({ type: 'opened', run });
    display.close();
    expect(writes.join('').includes('\u001b[1m')).toBe(colours);
  }
});

test('plain: an epoch that reports more than once is one line', () => {
  let text = '';
  const display = createDisplay({
    stream: {
      write: (part) => {
        text += part;
      },
    },
    mode: 'plain',
  });
  display.watch({ type: 'phase', phase: { name: 'alpha' }, total: 1, answered: 0 });
  const report: RunEvent = { type: 'job-progress', job: job('alpha'), worker: 'w', progress: progress(1, 2) };
  display.watch(report);
  display.watch(report);
  expect(text.match(/epoch 1\/2/g)).toHaveLength(1);
});

test('silent: nothing is written', () => {
  const screen = new Screen(100, 24);
  const display = createDisplay({ stream: screen, mode: 'silent' });
  for (const [, event] of story) display.watch(event);
  display.close();
  expect(screen.writes).toEqual([]);
});

test("result: in the paper's mode there is no validation accuracy, and the reader is told what that means", () => {
  let text = '';
  const display = createDisplay({
    stream: {
      write: (part) => {
        text += part;
      },
    },
    mode: 'plain',
  });
  display.watch({
    type: 'finished',
    summary: {
      ...summary,
      alpha: { ...summary.alpha, validationAccuracy: null },
      best: { ...summary.best, validationAccuracy: null, testAccuracy: 0.96 },
    },
    folder: run.folder,
  });
  expect(text.split('\n').slice(1, 8)).toEqual([
    'example-1 was finished already',
    'mnist, resnet8, engine tensorflow',
    '',
    'accuracy  validation      test',
    'alpha              -    0.9680',
    'best               -    0.9600  -0.0080 on the test set',
    'Fitness was test accuracy, as in the paper: the search has seen the test set.',
  ]);
});

test.each([
  ['not better', 'No individual beat alpha on the validation images: the search found no better network.'],
  [
    'alpha trained longer',
    'The best individual keeps every block: it is alpha trained longer, not a find of the search.',
  ],
] as const)('result: says plainly that the search found nothing (%s)', (verdict, sentence) => {
  let text = '';
  const stream = {
    write: (part: string) => {
      text += part;
    },
  };
  const display = createDisplay({ stream, mode: 'plain' });
  display.watch({ type: 'finished', summary: { ...summary, verdict }, folder: run.folder });
  const lines = text.split('\n');
  expect(lines[lines.findIndex((line) => line.startsWith('best ')) + 1]).toBe(sentence);
});

test('result: what was published stands beside what was measured', () => {
  let text = '';
  const stream = {
    write: (part: string) => {
      text += part;
    },
  };
  const expectation = {
    source: 'Table II',
    figures: [
      { name: 'testAccuracy', published: 0.9482, measured: 0.9755 },
      { name: 'median', published: 0.942, measured: null },
    ],
  } as const;
  const display = createDisplay({ stream, mode: 'plain' });
  display.watch({ type: 'finished', summary: { ...summary, expectation }, folder: run.folder });
  expect(text).toContain(`
                     published   measured  (Table II)
test accuracy           0.9482     0.9755
population, median      0.9420          -
`);
});

test('result: the command to go on with names the folder where it is not ./runs', () => {
  let text = '';
  const display = createDisplay({
    stream: {
      write: (part) => {
        text += part;
      },
    },
    mode: 'plain',
  });
  display.watch({ type: 'opened', run: { ...run, folder: 'my runs/example-1' } });
  display.watch({ type: 'finished', summary, folder: 'my runs/example-1' });
  expect(text).toContain(`status example-1 --runs '${resolve('my runs')}'`);
});

test('chooseDisplayMode: programs get silence, terminals that can draw the live view, all else plain lines', () => {
  expect(chooseDisplayMode({ isTTY: true }, true, {})).toBe('silent');
  expect(chooseDisplayMode({ isTTY: true }, false, { TERM: 'xterm' })).toBe('tty');
  expect(chooseDisplayMode({ isTTY: true }, false, { TERM: 'dumb' })).toBe('plain');
  expect(chooseDisplayMode({}, false, { TERM: 'xterm' })).toBe('plain');
});
