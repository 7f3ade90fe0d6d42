import { type Figure, isMet, type Target } from './row.ts';

/** The figures of one row, by its name. */
export type Measured = { readonly row: string; readonly figures: readonly Figure[] };

/** All figures as a Markdown table. Pure. */
export function tableOf(measured: readonly Measured[]): string {
  const head = [
    '| row | what | median | p95 | yardstick | ratio | target | met |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  const lines = measured.flatMap(({ figures, row }) => figures.map((figure) => lineOf(row, figure)));
  return [...head, ...lines].join('\n');
}

function lineOf(row: string, figure: Figure): string {
  const { ours, ratio, targets, unit, what, yardstick } = figure;
  const cells = [
    row,
    what,
    `${ours.median} ${unit}`,
    String(ours.p95),
    yardstick === undefined ? '-' : `${yardstick.spread.median} (${yardstick.what})`,
    ratio === undefined ? '-' : String(ratio),
    targets.length === 0 ? '-' : targets.map(wordsOf).join(', '),
    targets.length === 0 ? '-' : targets.every((target) => isMet(figure, target)) ? 'yes' : 'no',
  ];
  return `| ${cells.join(' | ')} |`;
}

function wordsOf(target: Target): string {
  const bound = 'atMost' in target ? `at most ${target.atMost}` : `at least ${target.atLeast}`;
  return `${target.of} ${bound}`;
}
