import type { RefObject } from 'preact';
import { useRef } from 'preact/hooks';

interface ExperimentEditorProps {
  readonly text: string;
  readonly change: (text: string) => void;
  readonly area: RefObject<HTMLTextAreaElement | null>;
  /** From 1. */
  readonly faultyLines: readonly number[];
  readonly describedBy: string | undefined;
}

/** A text with its line numbers. Tab leaves it, as people without a mouse must be able to. */
export function ExperimentEditor({ text, change, area, faultyLines, describedBy }: ExperimentEditorProps) {
  const gutter = useRef<HTMLDivElement>(null);
  const isFaulty = new Set(faultyLines);
  const lines = text.split('\n').map((_, i) => i + 1);
  return (
    <div class="editor">
      <label for="experiment">Experiment (YAML)</label>
      <div class="editor-frame">
        <div ref={gutter} class="gutter" aria-hidden="true">
          {lines.map((line) => (
            <div key={line} class={isFaulty.has(line) ? 'faulty' : ''}>
              {line}
            </div>
          ))}
        </div>
        <textarea
          id="experiment"
          ref={area}
          value={text}
          required
          rows={22}
          wrap="off"
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          aria-invalid={describedBy !== undefined}
          aria-describedby={describedBy}
          onInput={(event) => change(event.currentTarget.value)}
          onScroll={({ currentTarget: { scrollTop } }) => {
            if (gutter.current) gutter.current.scrollTop = scrollTop;
          }}
        />
      </div>
    </div>
  );
}
