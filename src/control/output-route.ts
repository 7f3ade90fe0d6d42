import type { LiveOutput, LiveOutputs } from '../agent/jobs/live-outputs.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import type { ShownOutput } from '../control-api/protocol.ts';
import { type Route, route } from '../control-api/route.ts';
import { findJob } from '../journal/find-job.ts';
import type { KeptOutput } from '../journal/job-outputs.ts';
import { sleep } from '../lib/sleep.ts';
import { LIMITS } from '../limits.ts';

const RECHECK_MS = 30_000;

export type OutputParts = {
  readonly outputs: LiveOutputs;
  readonly journal: {
    matching(prefix: string, limit: number): readonly string[];
    readonly outputs: { of(job: string): KeptOutput | undefined };
  };
};

/** What a job prints, or has printed. */
export function outputRoute({ journal, outputs }: OutputParts): Route {
  return route(ENDPOINTS.output, ({ query, rest, signal }) => {
    const job = findJob(journal, rest);
    const live = outputs.of(job);
    if (live !== undefined) return running(job, live, query.get('follow') === '1', signal);
    return ended(job, journal.outputs.of(job));
  });
}

/** Taken from what is remembered each time, so a reader that is slow costs no memory. */
async function* running(
  job: string,
  live: LiveOutput,
  isFollowed: boolean,
  signal: AbortSignal,
): AsyncGenerator<ShownOutput, void> {
  let last = 0;
  yield { job, state: 'running', stream: 'stdout', text: '', leftOut: false };
  while (!signal.aborted) {
    const changed = live.changed.next;
    const { leftOut, pieces } = live.after(last);
    for (const [index, { seq, stream, text }] of pieces.entries()) {
      yield { job, state: 'running', stream, text, leftOut: index === 0 && leftOut > 0 };
      last = seq;
    }
    if (pieces.length > 0) continue;
    if (live.isOver) yield { job, state: 'ended', stream: 'stdout', text: '', leftOut: false };
    if (live.isOver || !isFollowed) return;
    await sleep(RECHECK_MS, signal, changed);
  }
}

/** What the journal keeps of an ended job; nothing of one that was released or cancelled. Pure. */
export async function* ended(job: string, kept: KeptOutput | undefined): AsyncGenerator<ShownOutput, void> {
  const state = kept === undefined ? 'unknown' : 'ended';
  const piece = (stream: ShownOutput['stream'], text: string): ShownOutput => ({
    job,
    state,
    stream,
    text,
    // The journal keeps the end; an output of just this length is taken for a longer one.
    leftOut: text.length >= LIMITS.journal.output.max,
  });
  yield piece('stdout', kept?.stdout ?? '');
  if (kept !== undefined) yield piece('stderr', kept.stderr);
}
