import { useRef } from 'preact/hooks';
import type { Birth } from '../model/births.js';
import { useWidth } from '../ui/use-size.js';

const ROW = 16;
const NARROWEST_COLUMN = 28;
const MARGIN = 24;

interface LineageTreeProps {
  /** The individual and all that it comes from. */
  readonly ancestors: readonly Birth[];
  readonly mask: string;
  readonly href: (mask: string) => string;
}

/** Ancestors by the generation of their birth, with lines to their parents: blue the first, dashed the second. */
export function LineageTree({ ancestors, mask, href }: LineageTreeProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const generations = [...new Set(ancestors.map(({ t }) => t))].sort((a, b) => a - b);
  const byGeneration = Map.groupBy(ancestors, ({ t }) => t);
  const rows = Math.max(1, ...[...byGeneration.values()].map((members) => members.length));
  const column = Math.max(NARROWEST_COLUMN, (width - 2 * MARGIN) / Math.max(1, generations.length - 1));
  const height = rows * ROW + 2 * MARGIN;
  const places = new Map<string, { readonly x: number; readonly y: number }>();
  for (const [t, members] of byGeneration) {
    members.forEach((member, i) => {
      const y = MARGIN + ((i + 0.5) * rows * ROW) / members.length;
      places.set(member.mask, { x: MARGIN + generations.indexOf(t) * column, y });
    });
  }
  const across = Math.max(width, 2 * MARGIN + (generations.length - 1) * column);
  return (
    <figure ref={frame} class="scroller" aria-label={`Tree of ${ancestors.length - 1} ancestors by generation`}>
      <svg class="plot" width={across} height={height} aria-hidden="true">
        {ancestors.flatMap(({ mask: child, parents = [] }) =>
          [...new Set(parents)].map((parent, i) => {
            const from = places.get(parent);
            const to = places.get(child);
            if (!from || !to) return null;
            return (
              <line
                key={`${child} ${parent}`}
                x1={from.x}
                y1={from.y}
                x2={to.x}
                y2={to.y}
                style={{ stroke: i === 0 ? 'var(--best)' : 'var(--faint-ink)' }}
                stroke-dasharray={i === 0 ? '' : '4 3'}
              />
            );
          }),
        )}
        {ancestors.map(({ mask: one }) => {
          const place = places.get(one);
          return (
            place && (
              <a key={one} href={href(one)} tabindex={-1}>
                <circle
                  cx={place.x}
                  cy={place.y}
                  r={one === mask ? 7 : 5}
                  style={{ fill: one === mask ? 'var(--alpha)' : 'var(--individual)' }}
                />
              </a>
            )
          );
        })}
        {generations.map((t, i) => (
          <text key={t} x={MARGIN + i * column} y={height - 4} text-anchor="middle">
            {t}
          </text>
        ))}
      </svg>
      <figcaption class="faint">
        Generations from left to right; solid lines lead to first parents, dashed to second.
      </figcaption>
    </figure>
  );
}
