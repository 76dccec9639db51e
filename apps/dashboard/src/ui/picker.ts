interface Picker {
  readonly label: string;
  /** Of the things that can be picked. */
  readonly count: number;
  /** -1: none. */
  readonly index: number;
  /** What is picked, in words. */
  readonly text: string;
  readonly pick: (index: number) => void;
  /** Enter or a click on what is picked. */
  readonly open?: () => void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowRight: 1,
  ArrowUp: -1,
  ArrowLeft: -1,
  PageDown: 20,
  PageUp: -20,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** Makes a plot whose marks are no elements usable by keyboard and screen reader: a slider over its marks. */
export function pickerProps({ label, count, index, text, pick, open }: Picker) {
  return {
    role: 'slider' as const,
    tabIndex: 0,
    'aria-label': label,
    'aria-valuemin': 0,
    'aria-valuemax': count,
    'aria-valuenow': index + 1,
    'aria-valuetext': index < 0 ? 'none' : text,
    onClick: () => {
      if (index >= 0) open?.();
    },
    onKeyDown: (event: KeyboardEvent) => {
      const step = STEPS[event.key];
      if (event.key === 'Escape') pick(-1);
      if (event.key === 'Enter' && index >= 0) open?.();
      if (step === undefined || count === 0) return;
      event.preventDefault();
      pick(Math.max(0, Math.min(count - 1, index + step)));
    },
  };
}
