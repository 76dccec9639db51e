import { formatTime } from '../status/overview-lines.js';
import { generationsOf } from '../workload.js';
import { html, type Markup, trusted } from './html.js';
import { measuredBy } from './measured-by.js';
import { paperTables } from './paper-tables.js';
import { drawFigure, type Figure } from './plots/draw.js';
import { figuresOf } from './plots/index.js';
import { PAGE } from './plots/palette.js';
import { SOURCE } from './published.js';
import type { RunDigest } from './run-digest.js';
import { expectationTables, generationTable, overviewTable, settingsTable, spentTable } from './run-tables.js';
import { STYLE } from './style.js';
import type { Table } from './table.js';
import { wordsFor } from './words.js';

/** The report as one file that asks for nothing from elsewhere. */
export function reportPage(runs: readonly RunDigest[]): string {
  const title = runs.length === 1 ? `NE-SGD report: ${runs[0]!.runId}` : `NE-SGD report: ${runs.length} runs`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${tableMarkup(overviewTable(runs))}
<nav aria-label="Contents"><ul>${runs.map((run, i) => html`<li><a href="#run-${i}">${run.runId}</a></li>`)}<li><a href="#paper">The paper’s tables</a></li></ul></nav>
${runs.map(runSection)}
<section id="paper" aria-labelledby="paper-heading">
<h2 id="paper-heading">The paper’s tables</h2>
<p>Published: ${SOURCE}: all training images, 350 epochs, 30 generations of 5, fitness on the test set. Measured by:</p>
<ul>${measuredBy(runs).map((text) => html`<li>${text}</li>`)}</ul>
${paperTables(runs).map(tableMarkup)}
</section>
</main>
</body>
</html>
`.text;
}

/** What a reader of a run without its end must know first. */
export function standing({ state, divergence, rows, opened, spent, method }: RunDigest): string | undefined {
  if (state === 'finished') return undefined;
  if (divergence !== undefined) return `This run ended without a network: ${divergence}`;
  const { round: what } = wordsFor(method);
  const closed = rows.length === 0 ? `no ${what} is closed` : `${what} ${rows.at(-1)!.t} is closed`;
  const last = generationsOf(opened.experiment);
  const of = last === null ? '' : ` of ${last}`;
  return `This run is not finished (${state}): ${closed}${of}. Figures are as of ${formatTime(spent.lastFactAt)}; the test set was not looked at yet.`;
}

function runSection(run: RunDigest, index: number): Markup {
  const { experiment } = run.opened;
  const notice = standing(run);
  return html`<section class="run" id="run-${index}" aria-labelledby="run-${index}-heading">
<h2 id="run-${index}-heading">${run.runId}</h2>
${notice === undefined ? [] : html`<p class="notice" role="note">${notice}</p>`}
<p>${run.method}: ${experiment.model.name} on ${experiment.dataset.name}.
${run.best ? html`Best: <code>${run.best.label}</code>.` : []}</p>
${figuresOf(run).map(figureMarkup)}
${[...expectationTables(run), generationTable(run), spentTable(run), settingsTable(run)].map(tableMarkup)}
</section>
`;
}

function figureMarkup(figure: Figure): Markup {
  return html`<figure>${trusted(drawFigure(figure, PAGE))}<figcaption>${figure.description}</figcaption></figure>
`;
}

function tableMarkup({ caption, header, rows, notes, words = [] }: Table): Markup {
  const cell = (text: string, column: number) => {
    if (column === 0) return html`<th scope="row">${text}</th>`;
    return words.includes(column) ? html`<td class="words">${text}</td>` : html`<td>${text}</td>`;
  };
  return html`<div class="table" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${header.map((text, column) => html`<th scope="col"${words.includes(column) ? trusted(' class="words"') : []}>${text}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>
${notes.length > 0 ? html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>` : []}
`;
}
