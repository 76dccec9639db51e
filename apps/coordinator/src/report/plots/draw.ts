import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Palette } from './palette.js';

/** A figure of one run, drawn when a palette is known. */
export interface Figure {
  /** Names its files. */
  readonly name: string;
  readonly title: string;
  /** What is seen, for those who do not see it, and as the caption. */
  readonly description: string;
  readonly options: (palette: Palette) => Plot.PlotOptions;
}

const MARGIN_TOP = 44;

/** @returns `<svg ...>`, which needs nothing from elsewhere. The same figure gives the same text. */
export function drawFigure(figure: Figure, palette: Palette): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const options = figure.options(palette);
  const marginTop = MARGIN_TOP + (options.marginTop ?? 0);
  const heading = Plot.text([figure.title], {
    facet: 'super',
    frameAnchor: 'top-left',
    dy: 16 - marginTop,
    dx: 12 - (options.marginLeft ?? 40),
    fontSize: 14,
    fontWeight: 'bold',
  });
  const svg = Plot.plot({
    width: 900,
    grid: false,
    ...options,
    marginTop,
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
    className: `figure-${figure.name}`,
    style: { background: palette.paper, color: palette.ink, fontSize: '11px', fontFamily: 'system-ui, sans-serif' },
    ariaLabel: figure.title,
    ariaDescription: figure.description,
    marks: [...(options.marks ?? []), heading],
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg'); // Or a file of it is no picture to a browser.
  svg.setAttribute('role', 'img');
  svg.querySelector('style')?.remove(); // For pages of Plot's own; ours has its style, and a file needs none.
  return rounded(svg.outerHTML);
}

/** Coordinates have sixteen digits and need six; titles and labels are left alone. */
function rounded(svg: string): string {
  return svg.replace(/ (d|x|y|x1|x2|y1|y2|cx|cy|width|height|transform)="[^"]*"/g, (attribute) =>
    attribute.replace(/\d+\.\d{3,}/g, (number) => String(Math.round(100 * Number(number)) / 100)),
  );
}
