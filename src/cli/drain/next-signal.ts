import { type Phase, SIGNAL_TABLE } from '../../domain/signals.ts';

/** What is wanted of a daemon: that it drains, or that it gives back what it runs. */
export type Wanted = 'drain' | 'evict';

/**
 * Whether a daemon in this phase is to be sent SIGUSR1, so that it comes nearer to what is wanted. Pure. `sentIn` are
 * the phases in which that was done already: a daemon that does not move yet is not asked twice, for two signals
 * mean more than one.
 */
export function wantsSignal(phase: Phase, wanted: Wanted, sentIn: ReadonlySet<Phase>): boolean {
  if (sentIn.has(phase)) return false;
  const does = SIGNAL_TABLE[phase].drain;
  return does === 'drain' || (does === 'evict' && wanted === 'evict');
}

/** Whether all that is wanted was asked for, or is under way. Pure. */
export function isAsked(phase: Phase, wanted: Wanted, sentIn: ReadonlySet<Phase>): boolean {
  if (wantsSignal(phase, wanted, sentIn)) return false;
  return wanted === 'drain' || (phase !== 'working' && (phase !== 'draining' || sentIn.has('draining')));
}
