import { InputError } from '@nesgd/core/errors';

const markers = (engine: string) => [`<!-- bench ${engine}: begin -->`, `<!-- bench ${engine}: end -->`] as const;

/** @throws InputError where a text has no place for an engine's table. @param file how the error names it. */
export function refuseUnmarked(text: string, engine: string, file: string): void {
  const [begin, end] = markers(engine);
  if (text.indexOf(begin) < 0 || text.indexOf(end) < text.indexOf(begin)) {
    throw new InputError(
      'BENCH_FLAG',
      `--write: ${file} has no lines "${begin}" and "${end}" to put the table between`,
    );
  }
}

/** @returns the text with the engine's table replaced and all else as it was. */
export function withTable(text: string, engine: string, table: string): string {
  const [begin, end] = markers(engine);
  const from = text.indexOf(begin) + begin.length;
  return `${text.slice(0, from)}\n\n${table}\n\n${text.slice(text.indexOf(end))}`;
}
