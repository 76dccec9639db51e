import { escape as escapeHtml } from 'html-escaper';

/** Markup that is finished; everything else that comes into a page is escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

type Content = string | number | Markup | readonly Content[];

/** Markup with values: texts are escaped, also in attributes, which must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => text + markupOf(values[i - 1]!) + part));
}

/** Only for what this program made as markup, such as a drawn figure. */
export const trusted = (markup: string): Markup => new Markup(markup);

function markupOf(content: Content): string {
  if (content instanceof Markup) return content.text;
  if (Array.isArray(content)) return content.map(markupOf).join('');
  return escapeHtml(String(content));
}
