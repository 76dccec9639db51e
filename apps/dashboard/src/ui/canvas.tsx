import { useLayoutEffect, useRef } from 'preact/hooks';
import { themeChanges } from './theme.js';

interface CanvasProps {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Draws in CSS pixels on an empty canvas. */
  readonly draw: (context: CanvasRenderingContext2D) => void;
  /** Drawn again when one of these, or the theme, changes. */
  readonly when: readonly unknown[];
}

/** A layer of a plot with too many marks for SVG. What it shows is said elsewhere, too. */
export function Canvas({ width, height, draw, when }: CanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null);
  const theme = themeChanges.value;
  useLayoutEffect(() => {
    const canvas = ref.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context || width <= 0 || height <= 0) return;
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.scale(scale, scale);
    draw(context);
  }, [width, height, theme, ...when]);
  return <canvas ref={ref} style={{ width: `${width}px`, height: `${height}px` }} />;
}
