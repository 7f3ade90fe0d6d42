import type { HoldReason, Strategy } from '../../pricing/strategy/strategy.ts';

/** What is known; undefined: nothing. */
type Known = { readonly isStale: boolean } | undefined;

/** Why a strategy cannot be asked by what is known of costs and of the market; undefined: it can. Pure. */
export function unmetNeed({ needs }: Strategy, cost: Known, market: Known): HoldReason | undefined {
  if (needs.includes('floor') && cost === undefined) return 'floor-unknown';
  if (needs.includes('floor') && cost?.isStale === true) return 'floor-stale';
  if (needs.includes('market') && market === undefined) return 'market-unknown';
  return needs.includes('market') && market?.isStale === true ? 'market-stale' : undefined;
}
