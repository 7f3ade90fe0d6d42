import { type Phase, SIGNAL_TABLE } from '../../domain/signals.ts';

/** What the agent is asked to do: finish its jobs, or evict them. */
export type Wanted = 'drain' | 'evict';

/**
 * Whether to send SIGUSR1 to an agent in this phase to get it closer to what is wanted. Pure. `sentIn` are the phases in
 * which the signal was sent: an agent that has not changed its phase yet must not get it twice.
 */
export function wantsSignal(phase: Phase, wanted: Wanted, sentIn: ReadonlySet<Phase>): boolean {
  if (sentIn.has(phase)) return false;
  const action = SIGNAL_TABLE[phase].drain;
  return action === 'drain' || (action === 'evict' && wanted === 'evict');
}

/** Whether every signal that is needed has been sent. Pure. */
export function isAsked(phase: Phase, wanted: Wanted, sentIn: ReadonlySet<Phase>): boolean {
  if (wantsSignal(phase, wanted, sentIn)) return false;
  return wanted === 'drain' || (phase !== 'working' && (phase !== 'draining' || sentIn.has('draining')));
}
