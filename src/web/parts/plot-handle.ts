import type uPlot from 'uplot';
import { type Drawn, draw, type Plotted } from './plot-canvas.ts';

/** A plot in an element, from before it is drawn until it is removed. */
export type Handle = {
  /** The figures are others now. */
  readonly changed: () => void;
  /** Marks a place of the plot; null: none. */
  readonly point: (index: number | null) => void;
  readonly remove: () => void;
};

/**
 * Draws a plot once it comes into view, since its library is loaded for it; draws it again where the colours of the page change, and
 * fits it to its element. `onMissing`: its library could not be loaded.
 */
export function drawWhenSeen(
  root: HTMLElement,
  plotted: () => Plotted | undefined,
  onIndex: (index: number | null) => void,
  onMissing: () => void,
): Handle {
  let drawn: Drawn | undefined;
  let isRemoved = false;
  /** The place that the keyboard chose, which the library does not know before it has drawn, nor when it draws again. */
  let chosen: number | null = null;
  let isByPointer = false;
  const start = async (): Promise<void> => {
    const { default: Plot } = await import('uplot');
    redraw(Plot);
    dark.addEventListener('change', () => redraw(Plot), { signal: removed.signal });
    sizes.observe(root);
  };
  const redraw = (Plot: typeof uPlot): void => {
    drawn?.plot.destroy();
    const now = plotted();
    drawn = isRemoved || now === undefined ? undefined : draw(Plot, root, now, onMoved);
    mark();
  };
  const onMoved = (index: number | null): void => {
    if (isByPointer) onIndex(index);
  };
  const mark = (): void => {
    const { plot } = drawn ?? {};
    const x = chosen === null ? undefined : plot?.data[0][chosen];
    plot?.setCursor({ left: x == null ? -10 : plot.valToPos(x, 'x'), top: 0 }, false);
  };
  const removed = new AbortController();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const sizes = new ResizeObserver(() => {
    const { clientHeight: height, clientWidth: width } = root;
    if (drawn !== undefined && (drawn.plot.width !== width || drawn.plot.height !== height))
      drawn.plot.setSize({ width, height });
  });
  const seen = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      seen.disconnect();
      // Between two versions of the agent, or on a bad line, the library cannot be had.
      start().catch(onMissing);
    },
    { rootMargin: '200px' },
  );
  seen.observe(root);
  const onPointer = (): void => {
    isByPointer = true;
  };
  // A finger does not hover: it points where it touches and while it moves sideways.
  const onTouch = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse' || drawn === undefined) return;
    const { left, top } = drawn.plot.over.getBoundingClientRect();
    drawn.plot.setCursor({ left: event.clientX - left, top: event.clientY - top });
  };
  for (const type of ['pointerdown', 'pointermove'] as const) {
    // Before the library sees it.
    root.addEventListener(type, onPointer, { signal: removed.signal, capture: true });
    root.addEventListener(type, onTouch, { signal: removed.signal });
  }
  return {
    changed: () => {
      const now = plotted();
      if (now !== undefined) drawn?.setFigures(now);
    },
    point: (index) => {
      isByPointer = false;
      chosen = index;
      mark();
    },
    remove: () => {
      isRemoved = true;
      removed.abort();
      seen.disconnect();
      sizes.disconnect();
      drawn?.plot.destroy();
    },
  };
}
