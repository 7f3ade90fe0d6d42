import type { z } from 'zod';
import { freezeAnswer } from '../../control/price-routes.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { PRICE_VIEWS } from '../../control-api/price-views.ts';
import { openDecisions } from '../../journal/open-journal.ts';
import { sleep } from '../../lib/sleep.ts';
import { actAsOwner } from '../../state-dir/act-as-owner.ts';
import { ownerFor } from '../../state-dir/ownership.ts';
import { openStateDir } from '../../state-dir/state-dir.ts';
import { askAgent, doesNotAnswer, noSocket } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { isInUse } from '../owner/without-agent.ts';

/** An agent that starts or ends has its state directory but does not answer yet, or no longer. */
const TRIES = 20;
const AGAIN_MS = 250;

/** What the switch is to be: asks frozen, with a note, or not. */
export type Wanted =
  | { readonly frozen: true; readonly note: string | undefined }
  | { readonly frozen: false };

export type Switched = z.output<typeof PRICE_VIEWS.switched> & { readonly agentRunning: boolean };

/**
 * Moves the owner's switch of all asks: asks the running agent, or writes it into the journal for the next start. Throws
 * AGENT_OUT_OF_REACH, and what the journal throws; then nothing is changed.
 */
export async function moveSwitch(context: CliContext, stateDir: string, wanted: Wanted): Promise<Switched> {
  for (let attempt = 1; ; attempt += 1) {
    const asked = wanted.frozen
      ? await askAgent(context, stateDir, ENDPOINTS.priceFreeze, { body: { note: wanted.note } })
      : await askAgent(context, stateDir, ENDPOINTS.priceUnfreeze, { body: {} });
    if (asked.kind === 'answer') return { ...asked.answer, agentRunning: true };
    if (asked.kind === 'silent') throw doesNotAnswer('; the command may have been carried out all the same');
    try {
      return { ...moveWithoutAgent(context, stateDir, wanted), agentRunning: false };
    } catch (thrown) {
      if (!isInUse(thrown)) throw thrown;
      if (attempt >= TRIES) throw noSocket(stateDir, thrown);
    }
    await sleep(AGAIN_MS);
  }
}

function moveWithoutAgent(
  { caller: by, clock, uid }: CliContext,
  stateDir: string,
  wanted: Wanted,
): z.output<typeof PRICE_VIEWS.switched> {
  using opened = new DisposableStack();
  opened.use(actAsOwner(stateDir));
  const dir = opened.adopt(openStateDir(stateDir, ownerFor(stateDir, uid)), (one) => one.close());
  const { prices } = opened.adopt(openDecisions(dir, clock), (one) => one.close());
  const before = prices.freeze();
  if ((before !== undefined) === wanted.frozen) return { changed: false, frozen: freezeAnswer(before) };
  const at = clock.now();
  const note = wanted.frozen ? wanted.note : undefined;
  const freeze = wanted.frozen ? { at, by, note } : undefined;
  const action = wanted.frozen ? 'price-freeze' : 'price-unfreeze';
  const from = 'a command without a running agent';
  prices.setFreeze(freeze, { at, by, from, action, detail: JSON.stringify({ note }) });
  return { changed: true, frozen: freezeAnswer(freeze) };
}
