import { describe, expect, it } from 'vitest';
import { exampleDigest } from '../example-journal.fixture.js';
import { drawFigure } from './draw.js';
import { figuresOf } from './index.js';
import { PRINT } from './palette.js';

describe('figuresOf', () => {
  it('draws a run of two generations whole', async () => {
    const figures = figuresOf(await exampleDigest());
    expect(figures.map(({ name }) => name)).toEqual(['convergence', 'population', 'masks', 'kept-blocks', 'clusters']);
    expect(figures.at(-1)?.description).toMatch(/^Fitness of each parent and offspring/);
  });

  it('of a long run leaves out what would be no picture any more, and says so', async () => {
    const figures = figuresOf(await exampleDigest({ evolution: { populationSize: 5, generations: 60 } }));
    expect(figures.map(({ name }) => name)).toEqual(['convergence', 'population', 'kept-blocks', 'clusters']);
    expect(figures.at(-1)?.description).toMatch(/^The last 2\d of 60 generations\. /);
  });

  it('without suppression there are no clusters to draw', async () => {
    const figures = figuresOf(await exampleDigest({ evolution: { suppression: false } }));
    expect(figures.map(({ name }) => name)).not.toContain('clusters');
  });

  it('a generation’s box spans its survivors, and nabla stands above it', async () => {
    const run = await exampleDigest();
    const [, population] = figuresOf(run);
    const svg = drawFigure(population!, PRINT);
    for (const { nabla } of run.generations) expect(svg).toContain(`∇ ${(100 * nabla).toFixed(2)}`);
  });

  it('marks each suppressed individual, and no other', async () => {
    const run = await exampleDigest();
    const svg = drawFigure(figuresOf(run).at(-1)!, PRINT);
    const suppressed = run.generations.reduce((sum, generation) => sum + generation.suppressed.length, 0);
    expect(suppressed).toBeGreaterThan(0);
    expect(svg.match(/, suppressed<\/title>/g)).toHaveLength(suppressed);
  });
});
