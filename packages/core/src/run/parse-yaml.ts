import { Lexer, LineCounter, Parser, parseDocument, type YAMLParseError } from 'yaml';
import { ExperimentError, InputError } from '../errors.js';

/** Experiments have some kilobytes, and four levels. Texts come over HTTP as well: the library takes minutes for worse ones. */
const LONGEST_CHARACTERS = 64 * 1024;
/** Compares each key of a map with all before it. */
const MOST_LEXEMES = 10_000;
/** It works recursively; near the end of the stack a regular expression that is compiled there ends the process. */
const DEEPEST = 100;
const MOST_FAULTS = 10;

/**
 * The value of a YAML text.
 * @param source how messages name it.
 * @throws ExperimentError with each fault of the syntax and its line; InputError for what is no experiment by its size alone.
 */
export function parseYaml(text: string, source: string): unknown {
  const refuse = (reason: string, cause?: unknown) =>
    new InputError('EXPERIMENT_FILE', `${source} cannot be read as YAML: ${reason}`, false, { cause });
  if (text.length > LONGEST_CHARACTERS)
    throw refuse(`it has ${text.length} characters, an experiment has ${LONGEST_CHARACTERS} at most`);
  const excess = excessOf(text);
  if (excess) throw refuse(excess);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [first] = document.errors;
  if (first) {
    const { line, col } = lineCounter.linePos(first.pos[0]);
    const message = `${source} is not valid YAML: ${first.message} at line ${line}, column ${col}${excerpt(text, line)}`;
    throw new ExperimentError(message, faultsOf(document.errors, lineCounter), 'EXPERIMENT_FILE');
  }
  try {
    return document.toJS();
  } catch (cause) {
    // Aliases without an anchor, or of aliases of aliases, which would fill the memory.
    throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** The library's first stage, which is not recursive, knows. */
function excessOf(text: string): string | undefined {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > MOST_LEXEMES) return `it has more than ${MOST_LEXEMES} words and signs`;
    for (const _ of parser.next(lexeme)); // Tokens of the whole text; its stack is what counts.
    if (parser.stack.length > DEEPEST) return `its brackets or lists are nested more than ${DEEPEST} deep`;
  }
  return undefined;
}

/** Each once: what follows from a fault is reported as faults as well. */
function faultsOf(errors: readonly YAMLParseError[], lineCounter: LineCounter): ExperimentError['faults'] {
  const faults = new Map<string, ExperimentError['faults'][number]>();
  for (const { message, pos } of errors) {
    if (faults.size === MOST_FAULTS) break;
    const { line } = lineCounter.linePos(pos[0]);
    faults.set(`${line} ${message}`, { key: '', text: message, line });
  }
  return [...faults.values()];
}

function excerpt(text: string, line: number): string {
  const found = text.split('\n')[line - 1]?.trim() ?? '';
  return found === '' ? '' : `:\n\n  ${found.slice(0, 80)}\n`;
}
