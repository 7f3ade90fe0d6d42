import type uPlot from 'uplot';
import { type DayFigures, type Figures, stacked } from '../series.ts';

/** What a plot shows. */
export type Plotted = {
  readonly figures: Figures | DayFigures;
  /** Lines over time, or bars of days. */
  readonly kind: 'lines' | 'bars';
  /** The ends of the time that is shown, in milliseconds; of bars unused. */
  readonly from: number;
  readonly to: number;
  /** The least upper end of the scale, such as 100 of per cents. */
  readonly top: number;
  /** Labels of the axes. */
  readonly tickX: (x: number, stepMs: number) => string;
  readonly tickY: (value: number) => string;
};

/** A plot that was drawn into an element. */
export type Drawn = {
  readonly plot: uPlot;
  readonly setFigures: (plotted: Plotted) => void;
};

/** How many colours there are before they come again, dashed. */
export const COLOURS = 6;
const AXIS_Y = 54;

/** Draws. `root` must have its size; `onIndex` hears which x the pointer is at, null: at none. */
export function draw(
  Plot: typeof uPlot,
  root: HTMLElement,
  plotted: Plotted,
  onIndex: (index: number | null) => void,
): Drawn {
  let now = plotted;
  const colour = (name: string): string => getComputedStyle(root).getPropertyValue(name).trim();
  const text = getComputedStyle(root).color;
  const axis = { stroke: text, font: '12px system-ui, sans-serif', ticks: { show: false } };
  const grid = { stroke: colour('--line'), width: 1 };
  const isBars = plotted.kind === 'bars';
  const plot = new Plot(
    {
      width: root.clientWidth,
      height: root.clientHeight,
      ms: 1,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      cursor: { drag: { x: false, y: false }, points: { show: !isBars, size: 7 }, y: false },
      scales: {
        x: {
          time: !isBars,
          range: (_plot, min, max) => (isBars ? [min - 0.6, max + 0.6] : [now.from, now.to]),
        },
        y: { range: (_plot, _min, max) => [0, Math.max(max > now.top ? max * 1.05 : now.top, 1e-9)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 24,
          gap: 4,
          space: isBars ? 44 : 64,
          ...(isBars && { incrs: [1, 2, 5, 7, 10, 14] }),
          values: (_plot, splits, _axis, _space, step) => splits.map((x) => now.tickX(x, step)),
        },
        {
          ...axis,
          grid,
          size: AXIS_Y,
          gap: 4,
          space: 36,
          values: (_plot, splits) => splits.map((value) => now.tickY(value)),
        },
      ],
      series: [{}, ...seriesOf(Plot, plotted, colour)],
      hooks: { setCursor: [({ cursor }) => onIndex(cursor.idx ?? null)] },
    },
    dataOf(plotted),
    root,
  );
  return {
    plot,
    setFigures: (next) => {
      now = next;
      plot.setData(dataOf(next));
    },
  };
}

/** Bars stand one before the other: the whole stack first, then what is below its top. */
function dataOf({ figures, kind }: Plotted): uPlot.AlignedData {
  const values =
    kind === 'bars'
      ? stacked(figures)
          .toReversed()
          .map((tops) => tops.map((top) => (top === 0 ? null : top)))
      : figures.lines.map((line) => line.values);
  return [[...figures.x], ...values.map((line) => [...line])];
}

function seriesOf(Plot: typeof uPlot, plotted: Plotted, colour: (name: string) => string): uPlot.Series[] {
  const { figures, kind } = plotted;
  const series = figures.lines.map((_line, index): uPlot.Series => {
    const stroke = colour(`--series-${(index % COLOURS) + 1}`);
    if (kind === 'bars') {
      const paths = Plot.paths.bars?.({ size: [0.7, 48], radius: 0 });
      return {
        fill: stroke,
        stroke: colour('--surface'),
        width: 1,
        points: { show: false },
        ...(paths && { paths }),
      };
    }
    return {
      stroke,
      width: 1.75,
      ...(index >= COLOURS && { dash: [6, 4] }),
      points: { size: 4, fill: stroke, filter: lonely },
    };
  });
  return kind === 'bars' ? series.toReversed() : series;
}

/** The points that no line leads to, because nothing was measured before and after them. */
function lonely(plot: uPlot, index: number, show: boolean): number[] | null {
  const values = plot.data[index] ?? [];
  if (show) return null;
  return [...values.keys()].filter(
    (at) => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  );
}
