import type { ScaleLinear } from 'd3-scale';

export interface PlotBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export type Scale = ScaleLinear<number, number>;

interface AxesProps {
  readonly width: number;
  readonly height: number;
  readonly box: PlotBox;
  readonly x: Scale;
  readonly y: Scale;
  readonly xTitle: string;
  readonly yTitle: string;
  /** Whole numbers on the x axis. */
  readonly countsX?: boolean;
}

/** Axes, their ticks and a grid, as SVG over a canvas. */
export function Axes({ width, height, box, x, y, xTitle, yTitle, countsX = false }: AxesProps) {
  const xTicks = x.ticks(Math.max(2, Math.floor(width / 90))).filter((tick) => !countsX || Number.isInteger(tick));
  const yTicks = y.ticks(Math.max(2, Math.floor(height / 50)));
  const formatX = x.tickFormat(Math.max(2, Math.floor(width / 90)));
  const formatY = y.tickFormat(Math.max(2, Math.floor(height / 50)));
  return (
    <svg width={width} height={height} aria-hidden="true" class="axis">
      {yTicks.map((tick) => (
        <g key={tick} transform={`translate(0 ${y(tick)})`}>
          <line class="grid" x1={box.left} x2={box.right} />
          <text x={box.left - 6} dy="0.32em" text-anchor="end">
            {formatY(tick)}
          </text>
        </g>
      ))}
      {xTicks.map((tick) => (
        <g key={tick} transform={`translate(${x(tick)} ${box.bottom})`}>
          <line y2={4} />
          <text y={18} text-anchor="middle">
            {countsX ? tick : formatX(tick)}
          </text>
        </g>
      ))}
      <line x1={box.left} x2={box.right} y1={box.bottom} y2={box.bottom} />
      <text x={(box.left + box.right) / 2} y={box.bottom + 36} text-anchor="middle">
        {xTitle}
      </text>
      <text x={box.left - 40} y={box.top - 8}>
        {yTitle}
      </text>
    </svg>
  );
}

/** Room for the axes around the plot. */
export function plotBox(width: number, height: number): PlotBox {
  return { left: 52, top: 24, right: width - 12, bottom: height - 44 };
}
