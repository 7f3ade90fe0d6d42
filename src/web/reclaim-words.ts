import type { Preview, Reclaimed } from './answers.ts';
import { counted, type Formats, listed, UNKNOWN, visible } from './format.ts';

/* What the page says about taking GPUs back. All functions are pure; `now` is the agent’s time in ISO 8601. */

/** What taking GPUs back now would cost: `2 jobs, 14 min and 3 min in: $0.85 unpaid; or wait, at the latest until 18:42.` */
export function costText({ jobs }: Preview, now: string, { duration, money, time }: Formats): string {
  const ages = jobs.map(({ ranMs }) => duration(ranMs));
  const shown = ages.length > 3 ? [...ages.slice(0, 2), `${ages.length - 2} others`] : ages;
  const unpaid = jobs.reduce((sum, job) => sum + job.unpaid, 0);
  const last =
    jobs
      .map(({ endsBy }) => endsBy)
      .sort()
      .at(-1) ?? now;
  return `${counted(jobs.length, 'job')}, ${listed(shown)} in: ${money(unpaid)} unpaid; or wait, at the latest until ${time(last, now)}.`;
}

/** What a reclaim has done: a line about the jobs, and one for each GPU's memory. */
export function reclaimLines(
  { gpus, jobs, left, targets, tookMs }: Reclaimed,
  { count, duration }: Formats,
): readonly { readonly text: string; readonly isDone: boolean }[] {
  const over = jobs.length - left.length;
  const name = (uuid: string): string => visible(targets.find(({ target }) => target === uuid)?.name ?? uuid);
  const mib = (size: number | null): string => (size === null ? UNKNOWN : `${count(size)} MiB`);
  const released =
    jobs.length === 0
      ? 'No job was running.'
      : `${counted(over, 'job')} released to the market, after ${duration(tookMs)}.`;
  const still =
    left.length === 0
      ? []
      : [{ text: `${counted(left.length, 'job')} not ended yet, and will be.`, isDone: false }];
  const memory = gpus.map(({ gpu, inUseMiB, processes, state }) => {
    if (state === 'free') return { text: `${name(gpu)}: its memory is free.`, isDone: true };
    if (state === 'unknown')
      return { text: `${name(gpu)}: nvidia-smi does not say who uses its memory.`, isDone: false };
    const who = processes.map(({ pid, usedMiB }) => `process ${pid} (${mib(usedMiB)})`);
    const by = who.length === 0 ? 'no process that nvidia-smi shows' : listed(who);
    return {
      text: `${name(gpu)}: ${inUseMiB === 0 ? 'its memory is' : `${mib(inUseMiB)} are`} still in use, by ${by}.`,
      isDone: false,
    };
  });
  return [{ text: released, isDone: true }, ...still, ...memory];
}
