import { cssVariables, DARK, PRINT } from './plots/palette.js';

/** One column that is readable on a phone, light or dark as the system has it, and black on white on paper. */
export const STYLE = `
:root { color-scheme: light dark; --faint: #5c5c5c; --line: #d8d8d8; --notice: #fff4d6; ${cssVariables(PRINT)} }
@media (prefers-color-scheme: dark) {
  :root { --faint: #a8a8a8; --line: #3b3f45; --notice: #3a3116; ${cssVariables(DARK)} }
}
@media print {
  :root { --faint: #444444; --line: #bbbbbb; --notice: #ffffff; ${cssVariables(PRINT)} }
  nav { display: none; }
  section.run { break-before: page; }
  figure, tr { break-inside: avoid; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 62rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; overflow-wrap: anywhere; } h3 { font-size: 1.05rem; }
a { color: var(--best); }
figure { margin: 1.5rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption, .notes { color: var(--faint); font-size: 0.87rem; }
.table { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: start; font-weight: 600; padding-block: 0.3rem; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid var(--line); text-align: end; vertical-align: top; }
th { font-weight: 600; } tbody th, thead th:first-child, .words { text-align: start; } tbody th { font-weight: 400; white-space: nowrap; } td.words { min-width: 7rem; overflow-wrap: anywhere; }
.notice { background: var(--notice); border: 1px solid var(--line); padding: 0.5rem 0.8rem; border-radius: 0.3rem; }
code { font-size: 0.92em; overflow-wrap: anywhere; }
`;
