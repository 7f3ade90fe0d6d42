import type { CommandAnswer, EvictedAnswer, ReclaimAnswer } from '../../control-api/protocol.ts';
import { escapeControls } from '../../lib/escape.ts';
import { readableDuration } from '../../lib/readable.ts';
import { count } from '../count.ts';
import { untilText } from '../local-time.ts';

type Shown = CommandAnswer['targets'][number];

/** Each target and what keeps it from new jobs, one line each. Pure. */
export function targetsText(targets: readonly Shown[], now: number): string {
  return targets.map((target) => `${targetText(target, now)}\n`).join('');
}

function targetText({ hold, mode, name }: Shown, now: number): string {
  const who = escapeControls(name);
  if (hold === null) return `${who}: takes jobs${mode === 'on' ? ', whatever the rules say' : ''}`;
  const end = hold.until === null ? '' : ` until ${untilText(hold.until, now)}`;
  return `${who}: no new jobs, ${escapeControls(hold.why)}${end}`;
}

/** What taking GPUs back now would cost, in one sentence. Pure. */
export function costText(jobs: readonly EvictedAnswer[], now: number): string {
  const ages = jobs.map(({ ranMs }) => readableDuration(ranMs)).join(', ');
  const unpaid = jobs.reduce((sum, job) => sum + job.unpaid, 0);
  const last = Math.max(...jobs.map(({ endsBy }) => endsBy));
  return `${count(jobs.length, 'job')}, ${ages} in: $${unpaid.toFixed(2)} unpaid; or wait, at the latest until ${untilText(last, now)}`;
}

/** What a reclaim has done. Pure. */
export function reclaimText(
  { gpus, jobs, left, problem, targets, tookMs }: ReclaimAnswer,
  now: number,
): string {
  const nameOf = (uuid: string): string => targets.find(({ target }) => target === uuid)?.name ?? uuid;
  const over = jobs.length - left.length;
  const released = jobs.length === 0 ? 'no job was running' : `${count(over, 'job')} released to the market`;
  const memory = gpus.map(({ gpu, inUseMiB, processes, state }) => {
    const name = escapeControls(nameOf(gpu));
    if (state === 'free') return `${name}: its memory is free\n`;
    if (state === 'unknown') return `${name}: nvidia-smi does not say whose its memory is\n`;
    const who = processes.map(({ pid, usedMiB }) => `${pid}${usedMiB === null ? '' : ` (${usedMiB} MiB)`}`);
    const by = who.length === 0 ? 'no process that nvidia-smi shows' : `process ${who.join(', ')}`;
    return `${name}: ${inUseMiB === 0 ? 'its memory is' : `${inUseMiB} MiB are`} still in use, by ${by}\n`;
  });
  const why = problem === null ? 'the engine does not end it' : escapeControls(problem.why);
  const hint = problem?.hint ? `hint: ${escapeControls(problem.hint)}\n` : '';
  const running =
    left.length === 0 ? '' : `${count(left.length, 'job')} not ended yet, and will be: ${why}\n${hint}`;
  return `${released}, after ${readableDuration(tookMs)}\n${running}${memory.join('')}${targetsText(targets, now)}`;
}
