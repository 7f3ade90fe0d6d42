import { connect } from 'node:net';
import type { Target } from '../../../domain/jobs-network.ts';
import { within } from '../../../lib/deadline.ts';

/** The rules refuse at once, but a host under load may be slow to notice. In milliseconds. */
const DEADLINE_MS = 2_000;

/** Whether all these targets refuse a connection from this process. Never throws. */
export type RuleCheck = (refused: readonly Target[], signal: AbortSignal) => Promise<boolean>;

/** Tries all targets at once, for at most two seconds. */
export const checkRules: RuleCheck = async (refused, signal) => {
  const late = within(DEADLINE_MS, signal);
  const results = await Promise.all(refused.map((target) => isRefused(target, late)));
  return results.every(Boolean);
};

function isRefused({ host, port }: Target, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, signal });
  socket.on('connect', () => resolve(false));
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  return promise.finally(() => socket.destroy());
}
