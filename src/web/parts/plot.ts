import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { visible } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import type { Plotted } from './plot-canvas.ts';
import { COLOURS } from './plot-canvas.ts';
import { drawWhenSeen, type Handle } from './plot-handle.ts';
import { DataTable } from './table.ts';

export type PlotProps = {
  /** With the unit: `Power (W)`. */
  readonly title: string;
  /** Undefined: still waited for. */
  readonly plotted: Plotted | undefined;
  /** What is said where there is nothing to plot. */
  readonly empty: string;
  /** What the values at an index belong to, such as a day. */
  readonly when: (index: number) => string;
  readonly value: (value: number | null) => string;
  /** The sum of an index's values, where it means something. */
  readonly total?: (index: number) => string;
  readonly isFailed?: boolean;
  readonly isLarge?: boolean;
  readonly onEnlarge?: () => void;
};

/** A plot with its figures to be read by pointer, finger and keyboard, and the same figures as a table. */
export function Plot(props: PlotProps): Drawn {
  const { empty, isFailed = false, isLarge = false, onEnlarge, plotted, title } = props;
  const root = useRef<HTMLDivElement>(null);
  const handle = useRef<Handle | undefined>(undefined);
  const [pointed, setPointed] = useState<number | null>(null);
  const [isMissing, setMissing] = useState(false);
  const id = useId();
  const shape = plotted && [plotted.kind, ...plotted.figures.lines.map(({ key }) => key)].join(' ');
  const hasFigures = plotted !== undefined && plotted.figures.lines.length > 0;
  const isDrawn = hasFigures && !isMissing;
  const latest = useRef(plotted);
  latest.current = plotted;

  useEffect(() => {
    if (root.current === null) return undefined;
    const made = drawWhenSeen(
      root.current,
      () => latest.current,
      setPointed,
      () => setMissing(true),
    );
    handle.current = made;
    return () => {
      handle.current = undefined;
      made.remove();
    };
  }, [shape, isDrawn]);
  useEffect(() => handle.current?.changed(), [plotted]);

  const last = (plotted?.figures.x.length ?? 0) - 1;
  const index = pointed === null ? last : Math.min(pointed, last);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = indexAfter(event.key, index, last);
    if (next === undefined) return;
    event.preventDefault();
    handle.current?.point(next);
    setPointed(next);
  };
  return html`<figure class=${isLarge ? 'plot plot-large' : 'plot'}>
    <figcaption class="plot-title">
      <span id=${id}>${title}</span>
      ${
        onEnlarge &&
        html`<button type="button" class="quiet icon-button plot-enlarge" aria-label=${`Enlarge: ${title}`} title="Enlarge" onClick=${onEnlarge}>
          <svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="M9.5 2.5h4v4M13.5 2.5l-5 5M6.5 13.5h-4v-4M2.5 13.5l5-5" /></svg>
        </button>`
      }
    </figcaption>
    <${Reading} ...${props} index=${index} />
    <div class="plot-frame">
      ${
        isDrawn
          ? html`<div
              class="plot-area"
              ref=${root}
              role="slider"
              tabindex="0"
              aria-labelledby=${id}
              aria-valuemin="0"
              aria-valuemax=${Math.max(last, 0)}
              aria-valuenow=${Math.max(index, 0)}
              aria-valuetext=${spoken(props, index)}
              onKeyDown=${onKeyDown}
              onBlur=${() => {
                handle.current?.point(null);
                setPointed(null);
              }}
            ></div>`
          : isMissing
            ? html`<div class="plot-empty" role="alert">
                <p>The plot could not be loaded. Its figures are below.</p>
                <button type="button" onClick=${() => location.reload()}>Try again</button>
              </div>`
            : html`<p class="plot-empty">${isFailed ? 'Not known.' : plotted === undefined ? 'Loading …' : empty}</p>`
      }
    </div>
    ${hasFigures ? html`<${PlotTable} ...${props} isWanted=${isMissing} />` : html`<p class="plot-table"></p>`}
  </figure>`;
}

/** The values at the place that is pointed at, else the latest; it is the legend as well. */
function Reading({ index, plotted, total, value, when }: PlotProps & { readonly index: number }): Drawn {
  const { figures, kind = 'lines' } = plotted ?? {};
  if (figures === undefined || index < 0) return html`<p class="plot-reading">\u00a0</p>`;
  return html`<p class="plot-reading">
    <span class="plot-when">${when(index)}${total && `: ${total(index)}`}</span>
    ${figures.lines.map(
      ({ key, label, values }, line) => html`<span class="plot-value" key=${key}>
        <i class=${`swatch swatch-${(line % COLOURS) + 1} swatch-${kind}${line >= COLOURS ? ' swatch-again' : ''}`}></i>
        <bdi>${visible(label)}</bdi> <b>${value(values[index] ?? null)}</b>
      </span>`,
    )}
  </p>`;
}

/** The figures; `isWanted`: there is nothing else to see of them. */
function PlotTable({
  isWanted,
  plotted,
  title,
  total,
  value,
  when,
}: PlotProps & { readonly isWanted: boolean }): Drawn {
  const [isOpened, setOpen] = useState<boolean | undefined>(undefined);
  const isOpen = isOpened ?? isWanted;
  const { lines = [], x = [] } = plotted?.figures ?? {};
  const columns = [
    plotted?.kind === 'bars' ? 'Day' : 'Time',
    ...lines.map(({ label }) => visible(label)),
    ...(total ? ['All'] : []),
  ];
  // Made only where somebody looks: a plot can have thousands of figures.
  const rows = isOpen
    ? [...x.keys()]
        .toReversed()
        .map((index) => [
          when(index),
          ...lines.map(({ values }) => value(values[index] ?? null)),
          ...(total ? [total(index)] : []),
        ])
    : [];
  return html`<details
    class="plot-table"
    open=${isOpen}
    onToggle=${(event: Event) => setOpen(event.target instanceof HTMLDetailsElement && event.target.open)}
  >
    <summary>As a table<span class="unseen">: ${title}</span></summary>
    ${isOpen && html`<${DataTable} caption=${title} columns=${columns} rows=${rows} />`}
  </details>`;
}

function spoken({ plotted, total, value, when }: PlotProps, index: number): string {
  if (plotted === undefined || index < 0) return '';
  const values = plotted.figures.lines.map(
    ({ label, values }) =>
      `${visible(label)}: ${values[index] == null ? 'not measured' : value(values[index])}`,
  );
  return [when(index), ...(total ? [total(index)] : []), ...values].join(', ');
}

/** Where a key leads to; undefined: nowhere. */
function indexAfter(key: string, index: number, last: number): number | undefined {
  const to = {
    ArrowLeft: index - 1,
    ArrowDown: index - 1,
    ArrowRight: index + 1,
    ArrowUp: index + 1,
    PageUp: index + 10,
    PageDown: index - 10,
    Home: 0,
    End: last,
  }[key];
  return to === undefined ? undefined : Math.min(Math.max(to, 0), last);
}
