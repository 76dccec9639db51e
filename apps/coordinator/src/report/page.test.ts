import type { JournalLine, OpenedFact } from '@nesgd/core/run';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { exampleDigest, exampleJournal, exampleRival } from './example-journal.fixture.js';
import { reportMarkdown } from './markdown.js';
import { reportPage } from './page.js';
import { digestOf } from './run-digest.js';

const HOSTILE = '"><script>alert(1)</script>&amp;<img src=x onerror=alert(1)>|`*_[x](javascript:1)';

/** The texts of a table, row by row, by its caption. */
function tableOf(page: string, caption: string): string[][] {
  const { document } = parseHTML(page);
  const table = [...document.querySelectorAll('table')].find((t) =>
    t.querySelector('caption')?.textContent?.startsWith(caption),
  );
  if (!table) throw new Error(`no table ${caption}`);
  return [...table.querySelectorAll('tbody tr')].map((row) =>
    [...row.querySelectorAll('th, td')].map((cell) => cell.textContent ?? ''),
  );
}

describe('reportPage', () => {
  it('has the journal’s numbers', async () => {
    const run = await exampleDigest();
    const page = reportPage([run]);
    const percent = (accuracy: number) => (100 * accuracy).toFixed(2);
    const last = run.generations.at(-1)!;
    const generations = tableOf(page, 'Generations');
    expect(generations.map(([t]) => t)).toEqual(['0', '1', '2', '3']);
    expect(generations.at(-1)?.slice(1, 4)).toEqual([
      percent(last.best.fitness),
      percent([...last.parents].map(({ fitness }) => fitness).sort()[2]!),
      (100 * (last.parents[0]!.fitness - last.parents.at(-1)!.fitness)).toFixed(2),
    ]);
    for (const [i, { suppressed, pool }] of run.generations.entries()) {
      const masks = suppressed.map((position) => pool[position]!.mask.join('')).join(' ');
      expect(generations[i]?.[5]).toBe(masks || '–');
    }
    expect(
      run.generations.some(({ suppressed }) => suppressed.length > 0),
      'or no mask was compared',
    ).toBe(true);
    const [overview] = tableOf(page, 'Runs');
    expect(overview?.slice(6)).toEqual(['90.00', percent(run.best!.accuracy), '89.12', '90.34', '+1.22']);
    const spent = new Map(tableOf(page, 'Time').map(([what, value]) => [what, value]));
    expect(spent.get('Individuals retrained')).toBe(String(run.individuals.length));
    expect(spent.get('Trainers, all jobs together')).toBe(`${Math.round(1.5 * run.individuals.length)}s`);
    const settings = new Map(tableOf(page, 'Settings').map(([key, value]) => [key, value]));
    expect(settings.get('retrain.learningRateRetained')).toBe('0.01');
    expect(settings.get('engines as workers described them')).toBe('an engine 1.2');
    expect(settings.get('processors and cards that workers named')).toBe('a processor');
    expect([settings.get('device'), settings.get('precision')]).toEqual(['cpu', 'float32']);
    expect(settings.get('this report is by')).toMatch(/^nesgd \d+\.\d+\.\d+, Node\.js \d+\./);
  });

  it('names the card’s device and precision where a run has them', async () => {
    const run = await exampleDigest();
    const runtime = { ...run.opened.runtime, device: 'gpu', precision: 'tf32' } as const;
    const page = reportPage([{ ...run, opened: { ...run.opened, runtime } }]);
    const settings = new Map(tableOf(page, 'Settings').map(([key, value]) => [key, value]));
    expect([settings.get('device'), settings.get('precision')]).toEqual(['gpu', 'tf32']);
  });

  it('puts what the experiment says was published beside what the run measured, and only where it says so', async () => {
    const run = await exampleDigest({ expectation: { source: 'Table II', testAccuracy: 0.9482, maximum: 0.95 } });
    const wanted = [
      ['test accuracy', '94.82', '90.34'],
      ['population, maximum', '95.00', (100 * Math.max(...run.individuals.map((of) => of.accuracy))).toFixed(2)],
    ];
    expect(tableOf(reportPage([run]), 'Published for this experiment (Table II)')).toEqual(wanted);
    expect(reportMarkdown([run], () => undefined)).toMatch(/\| test accuracy +\| +94\.82 \| +90\.34 \|/);
    expect(reportPage([await exampleDigest()])).not.toContain('Published for this experiment');
  });

  it.each([
    ['sgd', 'round'],
    ['esgd', 'generation'],
    ['pbt', 'step'],
    ['sgd-restarts', 'round'],
  ] as const)(
    'speaks of %s in its own words: it has networks by %s, and no individuals or survivors',
    async (method, round) => {
      const run = await exampleRival(method);
      const section = parseHTML(reportPage([run])).document.querySelector('section.run')!.innerHTML;
      const markdown = reportMarkdown([run], () => 'figure.svg').split('\n## ')[1]!;
      for (const text of [section, markdown]) {
        // The keys of the experiment, which has settings for all methods, follow.
        const ofRun = text.split('Settings and versions')[0]!.replaceAll('var(--individual)', '');
        expect(ofRun).not.toMatch(/individual|survivor|retrained/i);
        if (round !== 'generation') expect(ofRun).not.toMatch(/generation/i);
        expect(ofRun).toContain(`The population by ${round}`);
      }
    },
  );

  it('shows every individual’s curve and every mask with its accuracy', async () => {
    const run = await exampleDigest();
    const { document } = parseHTML(reportPage([run]));
    const titles = [...document.querySelectorAll('svg title')].map((title) => title.textContent ?? '');
    for (const { label, t, accuracy } of run.individuals) {
      expect(titles).toContain(`${label}, generation ${t}: ${(100 * accuracy).toFixed(2)} %`);
    }
    const masks = document.querySelector('svg[aria-label^="Masks"]');
    const survivors = run.generations.flatMap(({ parents }) => parents).length;
    expect(masks?.querySelectorAll('g[aria-label="cell"] rect').length).toBe(survivors * run.opened.blocks.length);
    const kept = run.generations
      .flatMap(({ parents }) => parents.flatMap(({ mask }) => mask))
      .filter((bit) => bit === 1);
    expect(masks?.querySelectorAll('rect[fill="var(--kept)"]').length).toBe(kept.length);
  });

  it('asks for nothing from elsewhere, and runs no script', async () => {
    const page = reportPage([await exampleDigest(), await exampleDigest({ runId: 'other' })]);
    expect(page.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|url\(|@import|<script|<link rel="(?!icon)/i);
    expect(page).toContain('<link rel="icon" href="data:,">');
  });

  it('can be read without seeing it: names of figures, captions and headings of tables, a language', async () => {
    const { document } = parseHTML(reportPage([await exampleDigest()]));
    expect(document.documentElement.getAttribute('lang')).toBe('en');
    const figures = [...document.querySelectorAll('figure')];
    expect(figures.map((figure) => figure.querySelector('svg')?.getAttribute('role'))).toEqual(Array(5).fill('img'));
    for (const figure of figures) {
      expect(figure.querySelector('svg')?.getAttribute('aria-label')).toBeTruthy();
      expect(figure.querySelector('figcaption')?.textContent).toBeTruthy();
    }
    for (const table of document.querySelectorAll('table')) {
      expect(table.querySelector('caption')?.textContent).toBeTruthy();
      const columns = table.querySelectorAll('thead th[scope="col"]').length;
      for (const row of table.querySelectorAll('tbody tr')) {
        expect(row.children.length).toBe(columns);
        expect(row.firstElementChild?.outerHTML).toMatch(/^<th scope="row">/);
      }
    }
  });

  it('takes no text for markup', async () => {
    const run = await exampleDigest({ classNames: [HOSTILE, 'b'], dataset: { name: 'custom', path: HOSTILE } });
    const hostile = {
      ...run,
      opened: { ...run.opened, blocks: run.opened.blocks.map((b) => ({ ...b, name: `${b.name}${HOSTILE}` })) },
    };
    const page = reportPage([hostile]);
    const { document } = parseHTML(page);
    expect(document.querySelectorAll('script, img').length).toBe(0);
    expect(page).not.toMatch(/<script|<img/i);
    const settings = new Map(tableOf(page, 'Settings').map(([key, value]) => [key, value]));
    expect(settings.get('dataset.path')).toBe(HOSTILE);
    const markdown = reportMarkdown([hostile], () => undefined);
    expect(markdown).not.toMatch(/(?<!\\)<(script|img)|(?<!\\)\]\(/);
    const widths = markdown
      .split('\n')
      .filter((line) => line.includes('dataset.path'))
      .map((line) => line.match(/(?<!\\)\|/g)?.length);
    expect(widths).toEqual([3]);
  });

  it('says that a run is not finished, how far it is and as of when', async () => {
    const open = await exampleDigest({ until: (fact) => fact.type === 'generation' && fact.t === 1 });
    const text =
      /This run is not finished \(stopped\): generation 1 is closed of 3\. .*as of 2026-01-31 12:00:\d\d UTC/;
    expect(reportPage([open])).toMatch(text);
    expect(reportPage([await exampleDigest()])).not.toContain('not finished');
    expect(reportMarkdown([open], () => undefined).replaceAll('\\', '')).toMatch(text);
  });

  it('says why a run ended without a network', async () => {
    const lines = await exampleJournal({ until: ({ type }) => type === 'alpha' });
    const reason = 'the loss stopped being a number: give a smaller learning rate';
    const diverged: JournalLine = {
      ...lines[0]!,
      seq: lines.length,
      fact: { type: 'diverged', what: 'alpha', reason },
    };
    const run = digestOf([...lines, diverged], lines[0]!.fact as OpenedFact, false);
    expect(run.state).toBe('diverged');
    expect(reportPage([run])).toContain(`This run ended without a network: ${reason}`);
  });

  it.each([
    ['nothing but its opening', 'opened', 0],
    ['alpha', 'alpha', 1],
    ['one individual', 'evaluated', 1],
  ])('makes do with a run that has %s', async (_, last, figures) => {
    const page = reportPage([await exampleDigest({ until: ({ type }) => type === last })]);
    expect(page).toContain('no generation is closed of 3');
    expect(parseHTML(page).document.querySelectorAll('figure').length).toBe(figures);
  });

  it('is the same text for the same journal', async () => {
    expect(reportPage([await exampleDigest()])).toBe(reportPage([await exampleDigest()]));
  });
});

it('reportMarkdown: names figures where they are files', async () => {
  const markdown = reportMarkdown([await exampleDigest()], ({ runId }, figure) => `figures/${runId}-${figure}.svg`);
  expect(markdown).toContain('(<figures/example-convergence.svg>)');
  expect(markdown.match(/!\[/g)).toHaveLength(5);
});
