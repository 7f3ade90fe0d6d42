import { type Mutation, type MutationRow, mutationsOf } from '../../scripts/mutations/mutation.ts';

const IN_FORCE_TEST = 'test/unit/tariff/in-force.test.ts';

const rows: readonly MutationRow[] = [
  [
    'assumed prices of electricity follow the clock on the wall',
    'src/pricing/priced-ahead.ts',
    'DAY_MS + before.offset - now.offset',
    'DAY_MS',
    'test/unit/pricing/priced-ahead.test.ts',
    'each time has the price that the wall showed the day before, published until $hours h after the change',
  ],
  [
    'the owner’s price of electricity counts where none is published',
    'src/compose-electricity.ts',
    'withFallback(new PublishedPrices(published), configured)',
    'withFallback(new PricedAhead(published, zone), configured)',
    IN_FORCE_TEST,
    'the owner’s price counts where none is published, and only there',
  ],
  [
    'a price of a reload that cannot be written is asked later',
    'src/agent/pricing/pricer.ts',
    'if (offer.isRestarted) this.#apply(this.#restart(offer));',
    '',
    'test/unit/agent/pricing/pricer.test.ts',
    'a configured price that cannot be written is asked once it can be',
  ],
  [
    'a reload of the time zone moves the daily summary',
    'src/agent/notifications/notifications.ts',
    'const zone = daily.zone();',
    'const zone = (this.zone ??= daily.zone());',
    'test/unit/agent/notifications/notifications.test.ts',
    'sum up a day by the clock of another zone from its reload on',
  ],
  [
    'what another broker has paid is not compared with this one’s books',
    'src/cli/earnings/reconcile.ts',
    'const ledger = journal.total(broker);',
    'const ledger = journal.total();',
    'test/contract/cli/reconcile.test.ts',
    'leaves out what another broker has paid',
  ],
];

/** What keeps prices, and what goes by the owner’s clock, true. */
export const PRICES: readonly Mutation[] = mutationsOf(rows);
