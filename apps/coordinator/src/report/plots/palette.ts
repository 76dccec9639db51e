/** Colours of figures by what they stand for. */
export interface Palette {
  /** Behind everything. */
  readonly paper: string;
  readonly ink: string;
  readonly grid: string;
  readonly alpha: string;
  readonly individual: string;
  readonly best: string;
  /** A block that keeps alpha's weights, and one that starts afresh. */
  readonly kept: string;
  readonly fresh: string;
  readonly suppressed: string;
}

/**
 * For files of their own. Okabe and Ito's palette (2008): told apart by the colour-blind, too; it goes with the paper's red
 * and green of Fig. 3.
 */
export const PRINT: Palette = {
  paper: '#ffffff',
  ink: '#333333',
  grid: '#dddddd',
  alpha: '#d55e00',
  individual: '#009e73',
  best: '#0072b2',
  kept: '#0072b2',
  fresh: '#e6e6e6',
  suppressed: '#d55e00',
};

/** The same on a dark page: lighter, so that lines stand out from it as well. */
export const DARK: Palette = {
  paper: '#16181b',
  ink: '#e4e4e4',
  grid: '#444444',
  alpha: '#ff8c42',
  individual: '#2fc195',
  best: '#6cb8f0',
  kept: '#4a9fdc',
  fresh: '#3a3a3a',
  suppressed: '#ff8c42',
};

/** Names of CSS variables: a figure within a page takes the page's colours, light or dark. */
export const PAGE = Object.fromEntries(
  Object.keys(PRINT).map((name) => [name, `var(--${name})`]),
) as unknown as Palette;

/** `--ink: #333333; ...` */
export const cssVariables = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}: ${colour};`)
    .join(' ');
