/** A colour and what it means. @param variable of the style sheet, such as `--alpha`. */
export function Key({ name, variable }: { name: string; variable: string }) {
  return (
    <li>
      <span class="swatch" style={{ background: `var(${variable})` }} />
      {name}
    </li>
  );
}
