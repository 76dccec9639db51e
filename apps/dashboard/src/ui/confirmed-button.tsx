import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

interface ConfirmedButtonProps {
  readonly label: string;
  /** What it is called to those who do not see where it stands; begins with the label's word. */
  readonly name?: string;
  readonly disabled: boolean;
  /** What is asked, and what happens then. */
  readonly question: string;
  readonly children: ComponentChildren;
  readonly confirm: string;
  readonly refuse: string;
  readonly onConfirm: () => void;
}

/** A button for what cannot be undone: it asks first. Escape and the first button, which has the focus, do nothing. */
export function ConfirmedButton(props: ConfirmedButtonProps) {
  const { label, name, disabled, question, children, confirm, refuse, onConfirm } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const answer = (isConfirmed: boolean) => {
    dialog.current?.close(); // The button that opened it has the focus again.
    if (isConfirmed) onConfirm();
  };
  return (
    <>
      <button
        type="button"
        class="danger"
        aria-label={name}
        disabled={disabled}
        onClick={() => dialog.current?.showModal()}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <h2 id={title}>{question}</h2>
        <p>{children}</p>
        <div class="controls">
          <button type="button" onClick={() => answer(false)}>
            {refuse}
          </button>
          <button type="button" class="danger" onClick={() => answer(true)}>
            {confirm}
          </button>
        </div>
      </dialog>
    </>
  );
}
