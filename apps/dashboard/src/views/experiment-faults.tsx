import type { ExperimentFault } from '@nesgd/core/view';
import type { RefObject } from 'preact';

interface ExperimentFaultsProps {
  readonly id: string;
  readonly faults: readonly ExperimentFault[];
  readonly editor: RefObject<HTMLTextAreaElement | null>;
}

/** What the server found wrong with an experiment; each leads to its line. */
export function ExperimentFaults({ id, faults, editor }: ExperimentFaultsProps) {
  return (
    <section id={id} class="problem" role="alert" aria-label="Faults of the experiment">
      <h2>{faults.length === 1 ? 'One fault' : `${faults.length} faults`}; nothing was started</h2>
      <ul class="faults">
        {byLine(faults).map(({ key, text, line }) => (
          <li key={`${key} ${text}`}>
            {line !== undefined && (
              <button type="button" class="link" onClick={() => editor.current && goTo(editor.current, line)}>
                Line {line}
              </button>
            )}{' '}
            {text}
          </li>
        ))}
      </ul>
    </section>
  );
}

function byLine(faults: readonly ExperimentFault[]): ExperimentFault[] {
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** Selects a line, which a browser then scrolls to. */
function goTo(editor: HTMLTextAreaElement, line: number): void {
  const lines = editor.value.split('\n');
  const start = lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  editor.focus();
  editor.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  const height = editor.scrollHeight / lines.length;
  editor.scrollTop = Math.max(0, (line - 1) * height - editor.clientHeight / 2);
}
