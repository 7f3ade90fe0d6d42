import { styleText } from 'node:util';
import type { Status } from '../../control-api/status-schema.ts';
import { linesOf } from '../lines.ts';
import { type StatusPage, statusLines } from '../status/render.ts';

/** What a frame shows: a status, or why there is none now. */
export type Shown =
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'failed'; readonly why: string };

/** The lines of one frame, at most `rows`, none longer than the page. `wasRunning`: an agent was seen before. Pure. */
export function frameLines(
  shown: Shown,
  { at, rows, wasRunning }: { readonly at: number; readonly rows: number; readonly wasRunning: boolean },
  page: StatusPage,
): readonly string[] {
  const isGone = shown.kind === 'failed' || shown.status.agent === null;
  const note = isGone && wasRunning ? ['the agent is restarting, or was stopped', ''] : [];
  const body = shown.kind === 'status' ? statusLines(shown.status, page) : linesOf(shown.why, page);
  const footer = `${new Date(at).toTimeString().slice(0, 8)}  q ends`.slice(0, page.columns);
  const room = Math.max(rows - note.length - 1, 0);
  return [
    ...note.map((line) => line.slice(0, page.columns)),
    ...body.slice(0, room),
    page.colour ? styleText('gray', footer, { validateStream: false }) : footer,
  ].slice(-Math.max(rows, 1));
}
