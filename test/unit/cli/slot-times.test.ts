import { expect, test } from 'vitest';
import { openSlotTimes } from '../../../src/cli/market/slot-times.ts';
import { cpuOffer } from '../../support/agent/test-env.ts';
import { load } from '../../support/config/load.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

test('an offer asks what its strategy has chosen, unless the configured price or strategy is another one', async () => {
  const stateDir = scratchDir();
  withJournal(stateDir, ({ prices }) =>
    prices.save({
      offer: 'cpu',
      strategy: 'decay',
      start: 0.1,
      ask: 0.07,
      memory: {},
      terms: {},
      askedAt: { wall: 0, boot: { boot: '', upMs: 0 } },
      idleMs: {},
      seenSeq: 0,
    }),
  );
  const asked = async (strategy: string, askPrice: number): Promise<number> => {
    const env = { SHAREDCLOUD_STATE_DIR: stateDir, SHAREDCLOUD_ASK_STRATEGY: strategy };
    using times = openSlotTimes((await load({ env })).config, [], 0);
    return times.askOf({ ...cpuOffer(1), askPrice });
  };
  expect(await asked('decay', 0.1)).toBe(0.07);
  expect(await asked('decay', 0.02)).toBe(0.02);
  expect(await asked('fixed', 0.1)).toBe(0.1);
});
