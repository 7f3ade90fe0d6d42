import { type AskLimits, type LimitedAsk, limitAsk } from '../../pricing/strategy/next-ask.ts';

/** An ask at the floor is so far above it, because floors follow each job's measured power by small steps. */
const HEADROOM = 1.01;
/** It stays until it is so far above it. */
const STEADY = 1.03;

/** As `limitAsk`, but an ask that rises to the floor rises a little further. Pure. */
export function raiseAsk(ask: number, limits: AskLimits): LimitedAsk {
  return withHeadroom(limitAsk(ask, limits), limits);
}

/** A limited ask, a little further from the floor where that is its limit. Pure. */
export function withHeadroom(limited: LimitedAsk, limits: AskLimits): LimitedAsk {
  if (limited.limitedBy !== 'floor' || limits.floor === undefined) return limited;
  return limitAsk(limited.ask, { ...limits, floor: limits.floor * HEADROOM });
}

/** A floor that is hardly below the ask counts as the ask: what a rise has added is no reason to fall. Pure. */
export function steadyLimits(ask: number, limits: AskLimits): AskLimits {
  const { floor } = limits;
  const isNear = floor !== undefined && floor <= ask && ask <= floor * STEADY;
  return isNear ? { ...limits, floor: ask } : limits;
}
