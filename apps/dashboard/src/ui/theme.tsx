import { signal } from '@preact/signals';

const CHOICES = ['system', 'light', 'dark'] as const;
type Theme = (typeof CHOICES)[number];
const KEY = 'nesgd-theme';

const theme = signal<Theme>('system');
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

/** Counts the changes of colours: canvases are drawn again, which style sheets do not reach. */
export const themeChanges = signal(0);

export function applyStoredTheme(): void {
  const stored = localStorage.getItem(KEY);
  theme.value = CHOICES.find((choice) => choice === stored) ?? 'system';
  apply();
  systemIsDark.addEventListener('change', apply);
}

/** The style sheet knows light and dark alone: a rule of its own for the system's choice would need the colours twice. */
function apply(): void {
  const system = systemIsDark.matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme.value === 'system' ? system : theme.value;
  themeChanges.value += 1;
}

export function ThemeSwitch() {
  return (
    <label class="theme">
      Colours{' '}
      <select
        value={theme.value}
        onChange={(event) => {
          theme.value = CHOICES.find((choice) => choice === event.currentTarget.value) ?? 'system';
          localStorage.setItem(KEY, theme.value);
          apply();
        }}
      >
        {CHOICES.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A colour of the style sheet, for canvases. @param name such as `--alpha`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
