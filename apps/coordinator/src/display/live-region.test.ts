import { expect, test } from 'vitest';
import { bold, type Line } from './line.js';
import { LiveRegion } from './live-region.js';
import { Screen } from './screen.fixture.js';

const lines = (...texts: string[]): Line[] => texts.map((text) => [text]);

test('LiveRegion: each drawing replaces the one before, also by fewer and shorter lines', () => {
  const screen = new Screen(40, 10);
  const region = new LiveRegion(screen, false);
  region.draw([], lines('first line', 'second line', 'third line'));
  region.draw([], lines('1st', 'second'));
  expect(screen.text).toEqual(['1st', 'second']);
});

test('LiveRegion: lasting lines stay above in their order, also where they wrap and the screen scrolls', () => {
  const screen = new Screen(20, 6);
  const region = new LiveRegion(screen, false);
  region.draw([], lines('live a', 'live b', 'live c'));
  region.draw(lines('lasting 1', 'lasting 2 is longer than the screen is wide'), lines('live a', 'live b', 'live c'));
  region.draw(lines('lasting 3', 'lasting 4'), lines('live d', 'live e'));
  expect(screen.text).toEqual([
    'lasting 1',
    'lasting 2 is longer',
    'than the screen is w',
    'ide',
    'lasting 3',
    'lasting 4',
    'live d',
    'live e',
  ]);
});

test('LiveRegion: a window made narrower leaves nothing of the wider drawing behind', () => {
  const screen = new Screen(40, 10);
  const region = new LiveRegion(screen, false);
  region.draw([], lines('a line of thirty-five characters...', 'short', 'another line of more than 20 cells'));
  screen.narrowTo(20);
  region.draw([], lines('new', 'view'));
  expect(screen.text).toEqual(['new', 'view']);
});

test('LiveRegion: the cursor is hidden while there is a live view and given back at the end', () => {
  const screen = new Screen(40, 10);
  const region = new LiveRegion(screen, false);
  region.draw(lines('a note'), []);
  expect(screen.cursorVisible).toBe(true);
  region.draw([], lines('live'));
  expect(screen.cursorVisible).toBe(false);
  region.end();
  expect(screen.cursorVisible).toBe(true);
  expect(screen.text).toEqual(['a note', 'live']);
});

test('LiveRegion: one drawing is one write; none where there is nothing to draw or to remove', () => {
  const screen = new Screen(40, 10);
  const region = new LiveRegion(screen, false);
  region.draw([], []);
  region.end();
  expect(screen.writes).toEqual([]);
  region.draw(lines('x', 'y'), lines('a', 'b'));
  expect(screen.writes).toHaveLength(1);
});

test('LiveRegion: colours only where they are wanted', () => {
  const [plain, coloured] = [false, true].map((colours) => {
    const writes: string[] = [];
    new LiveRegion({ write: (text) => writes.push(text) }, colours).draw([[bold('x')]], [[bold('y')]]);
    return writes.join('');
  });
  expect(coloured).toContain('\u001b[1m');
  expect(plain).not.toContain('\u001b[1m');
});
