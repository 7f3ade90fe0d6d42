import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PRICE_VIEWS } from '../../../src/control-api/price-views.ts';
import { runLine } from '../../support/cli/run.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

test('without an agent the switch is moved in the journal, and the changes are shown from there', async () => {
  const stateDir = join(scratchDir(), 'state');
  const env = { SHAREDCLOUD_STATE_DIR: stateDir };
  const frozen = await runLine(['price', 'freeze', '--note', 'fair', '--json'], env);
  expect(frozen.exit).toBe(0);
  expect(JSON.parse(frozen.stdout)).toMatchObject({
    agentRunning: false,
    changed: true,
    frozen: { note: 'fair' },
  });
  const again = await runLine(['price', 'freeze', '--json'], env);
  expect(JSON.parse(again.stdout)).toMatchObject({ changed: false, frozen: { note: 'fair' } });
  withJournal(stateDir, ({ prices }) => {
    const at = { wall: 1, boot: { boot: '', upMs: 0 } };
    const state = {
      offer: 'cpu',
      strategy: 'floor',
      start: 0.1,
      ask: 0.2,
      memory: {},
      terms: {},
      askedAt: at,
      idleMs: {},
      seenSeq: 0,
    };
    const change = { at: 1, offer: 'cpu', before: 0.1, ask: 0.2, strategy: 'floor', terms: {} };
    prices.save(state, { ...change, reason: 'floor-rose', limitedBy: 'floor' });
  });
  const shown = PRICE_VIEWS.prices.parse(JSON.parse((await runLine(['price', '--json'], env)).stdout));
  expect(shown).toMatchObject({ offers: [], changes: [{ ask: 0.2, reason: 'floor-rose' }] });
  expect((await runLine(['price'], env)).exit).toBe(0);
  const unfrozen = await runLine(['price', 'unfreeze', '--json'], env);
  expect(JSON.parse(unfrozen.stdout)).toMatchObject({ changed: true, frozen: null });
});
