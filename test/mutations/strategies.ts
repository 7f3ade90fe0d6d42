import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const PRICER = 'src/agent/pricing/pricer.ts';
const PRICER_TEST = 'test/unit/agent/pricing/pricer.test.ts';
const NEXT_ASK = 'src/pricing/strategy/next-ask.ts';
const NEXT_ASK_TEST = 'test/unit/pricing/strategy/next-ask.test.ts';
const DECAY_TEST = 'test/unit/pricing/strategy/decay.test.ts';
const ADVICE_TEST = 'test/unit/pricing/strategy/advice.test.ts';

const rows: readonly MutationRow[] = [
  [
    'no strategy asks less than a job costs',
    NEXT_ASK,
    "{ limitedBy: 'floor', ask: priceFrom(floor) },",
    '',
    NEXT_ASK_TEST,
    'is within the limits, whatever the strategy answers',
  ],
  [
    'no strategy asks more than the owner lets it',
    NEXT_ASK,
    "return limited.ask > max ? { ask: max, limitedBy: 'max' } : limited;",
    'return limited;',
    NEXT_ASK_TEST,
    'is within the limits, whatever the strategy answers',
  ],
  [
    'an ask that was changed stays for an hour',
    'src/agent/pricing/ask-timing.ts',
    'changedAt === undefined ? 0 : HOUR_MS - sinceMs(changedAt, now)',
    '0',
    PRICER_TEST,
    'the ask keeps the owner’s limits and changes once an hour, but for rises to the floor',
  ],
  [
    'a changed ask is on disk before it counts',
    PRICER,
    '    prices.save(next, change);',
    '    offer.state = next;\n    prices.save(next, change);',
    PRICER_TEST,
    'a change that cannot be written is none, though all else can',
  ],
  [
    'a change that could not be written is chosen again',
    PRICER,
    'reason, asked);',
    'reason, (offer.state = asked));',
    PRICER_TEST,
    'a change that cannot be written is none, though all else can',
  ],
  [
    'the owner’s switch stops a strategy that is still choosing',
    PRICER,
    'if (signal.aborted || this.#freeze !== undefined || this.#isOther(offer, plan, settings)) return;',
    'if (signal.aborted || this.#isOther(offer, plan, settings)) return;',
    PRICER_TEST,
    'do not change by a strategy that was still choosing',
  ],
  [
    'a strategy is not asked on a market that is out of date',
    'src/compose-market-history.ts',
    'isStale: until - known.lastPoll > STALE_MS,',
    'isStale: false,',
    'test/contract/agent/live-strategies.test.ts',
    'leaves the ask where it is while the market is out of date, and while the owner has frozen it',
  ],
  [
    'the broker is given the ask that a strategy chose',
    PRICER,
    'this.#change(offer, withHeadroom(chosen, limits), reason, asked);\n      this.#apply(offer);',
    'this.#change(offer, withHeadroom(chosen, limits), reason, asked);',
    'test/contract/agent/prices.test.ts',
    'a strategy is asked an hour later, and another one by a reload begins at the configured price',
  ],
  [
    'time in which a slot could not take a job is not idle',
    'src/agent/pricing/slot-idleness.ts',
    "state === 'open' && wasOpen.has(id)",
    'true',
    PRICER_TEST,
    'does not count time as idle in which the slot could not take a job',
  ],
  [
    'an idle spell takes a tenth off the ask once',
    'src/pricing/strategy/decay.ts',
    'spells - fresh.spells : 0',
    'spells : 0',
    DECAY_TEST,
    'counts an idle spell once',
  ],
  [
    'the reference stays at what a job costs or above',
    'src/pricing/strategy/decay.ts',
    'Math.max(reference, start * MIN_PART, floor, min)',
    'Math.max(reference, start * MIN_PART, min)',
    DECAY_TEST,
    'keeps its reference at or above %s',
  ],
  [
    'runs that this host cannot take are no demand',
    'src/pricing/strategy/demand.ts',
    ' && isUnsuitable !== true',
    '',
    DECAY_TEST,
    'minds no run that it cannot take',
  ],
  [
    'no ask is advised for a gain that may be chance',
    'src/pricing/strategy/advise.ts',
    'gain > error',
    'gain > 0',
    ADVICE_TEST,
    'advises nothing where the gain is not more than its error',
  ],
  [
    'an ask that was rounded up comes back to the owner’s',
    'src/pricing/strategy/advice.ts',
    'start * ROUNDED',
    'start',
    ADVICE_TEST,
    'come back to the owner’s ask from a step below it that was rounded up',
  ],
];

/** What keeps the asks of strategies within the owner's limits and by what is known. */
export const STRATEGIES: readonly Mutation[] = mutationsOf(rows);
