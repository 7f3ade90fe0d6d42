/** The real time; see `Clock` in domain/ports.ts. */
export const systemClock = {
  now: (): number => Date.now(),
  monotonic: (): number => performance.now(),
};
