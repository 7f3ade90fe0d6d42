import { connect } from 'node:net';
import type { Target } from '../../../domain/jobs-network.ts';

/** What our rules refuse is refused in no time; a host under load may be slow to learn of it. Milliseconds. */
const DEADLINE_MS = 2_000;

/** Whether the rules answer this process where they refuse, at all of `refused`; never throws. */
export type ReadRuleTargets = (refused: readonly Target[], signal: AbortSignal) => Promise<boolean>;

/** Tries all of them at once, for two seconds at most. */
export const readRuleTargets: ReadRuleTargets = async (refused, signal) => {
  const late = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  const answers = await Promise.all(refused.map((target) => isRefused(target, late)));
  return answers.every(Boolean);
};

function isRefused({ host, port }: Target, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, signal });
  socket.on('connect', () => resolve(false));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  return promise.finally(() => socket.destroy());
}
