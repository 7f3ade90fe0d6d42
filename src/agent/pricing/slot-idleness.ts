import type { EndedSlotJob, Figures } from '../../domain/ports/price-store.ts';

/** What the slots of an offer do: `open` ones could take a job now and have none, others are paused, cordoned or offline. */
export type SlotUse = { readonly id: string; readonly state: 'busy' | 'open' | 'closed' };

/** How long each slot has been open since its last job, `ms` later; slots that are gone are forgotten. Pure. */
export function idleLater(
  idleMs: Figures,
  before: readonly SlotUse[],
  now: readonly SlotUse[],
  ms: number,
): Figures {
  const wasOpen = new Set(before.filter(({ state }) => state === 'open').map(({ id }) => id));
  return Object.fromEntries(
    now.map(({ id, state }) => {
      const known = idleMs[id] ?? 0;
      if (state === 'busy') return [id, 0];
      return [id, state === 'open' && wasOpen.has(id) ? known + ms : known];
    }),
  );
}

/** The same after jobs have ended: one that was shorter than the time between two checks was not seen. Pure. */
export function idleSinceJobs(idleMs: Figures, jobs: readonly EndedSlotJob[], now: number): Figures {
  const idle = { ...idleMs };
  for (const { slot, until } of jobs) {
    const known = idle[slot];
    if (known !== undefined) idle[slot] = Math.min(known, Math.max(0, now - until));
  }
  return idle;
}

/** Of each slot that has a job (0) or could take one, which has been open for a moment at least. Pure. */
export function idleOfSlots(idleMs: Figures, slots: readonly SlotUse[]): readonly number[] {
  return slots
    .filter(({ state }) => state !== 'closed')
    .map(({ id, state }) => (state === 'busy' ? 0 : Math.max(1, idleMs[id] ?? 0)));
}
