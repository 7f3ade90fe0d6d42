/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access
   -- the libraries speak of a DOM, whose types would come into the whole project */
import { readFileSync } from 'node:fs';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { z } from 'zod';

/* `npm run -s bench:plot -- FIGURES.json > PLOT.svg`: throughput by slots, of the agent and of the yardstick. */

const SPREAD = z.object({ median: z.number(), min: z.number(), max: z.number() });
const FIGURES = z.object({
  rows: z.array(
    z.object({
      row: z.string(),
      figures: z.array(
        z.object({ what: z.string(), ours: SPREAD, yardstick: z.object({ spread: SPREAD }).optional() }),
      ),
    }),
  ),
});

const { rows } = FIGURES.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const points = rows
  .filter(({ row }) => row === 'throughput')
  .flatMap(({ figures }) => figures)
  .flatMap(({ ours, what, yardstick }) => {
    const slots = Number.parseInt(what, 10);
    // What the engine's calls alone reach is in the table.
    if (what.includes('alone')) return [];
    const both = [{ slots, who: 'sharedcloud-agent', ...ours }];
    return yardstick === undefined ? both : [...both, { slots, who: 'docker run --rm', ...yardstick.spread }];
  });

const { document } = parseHTML('<html></html>');
const plot = Plot.plot({
  document,
  width: 640,
  height: 360,
  style: { background: 'white' },
  x: { label: 'slots', ticks: [...new Set(points.map(({ slots }) => slots))], tickFormat: 'd' },
  y: { label: 'jobs a minute', grid: true },
  color: { domain: ['sharedcloud-agent', 'docker run --rm'], range: ['#1f6feb', '#8b949e'] },
  marks: [
    Plot.ruleY([0]),
    Plot.ruleX(points, { x: 'slots', y1: 'min', y2: 'max', stroke: 'who', strokeOpacity: 0.5 }),
    Plot.lineY(points, { x: 'slots', y: 'median', stroke: 'who', marker: 'dot' }),
    Plot.text(
      points,
      Plot.selectLast({
        x: 'slots',
        y: 'median',
        z: 'who',
        text: 'who',
        fill: 'who',
        dx: -4,
        dy: -10,
        textAnchor: 'end',
      }),
    ),
  ],
});
plot.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
process.stdout.write(`${plot.outerHTML}\n`);
