import { atOnce, type Strategy } from './strategy.ts';

/** Asks what the owner configured, always. After a rise to the floor it comes back when the floor does. */
export const FIXED: Strategy = {
  needs: [],
  isFixed: true,
  next: atOnce(({ start }) => ({ choice: { ask: start, reason: 'configured' }, memory: {} })),
};
