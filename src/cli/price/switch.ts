import type { z } from 'zod';
import { freezeAnswer } from '../../control/price-routes.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { PRICE_VIEWS } from '../../control-api/price-views.ts';
import type { PriceStore } from '../../domain/ports/price-store.ts';
import { askAgent } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { changeByAgentOrJournal, WITHOUT_AGENT } from '../owner/agent-or-journal.ts';

/** What the switch is to be: asks frozen, with a note, or not. */
export type Wanted =
  | { readonly frozen: true; readonly note: string | undefined }
  | { readonly frozen: false };

export type Switched = z.output<typeof PRICE_VIEWS.switched> & { readonly agentRunning: boolean };

/** Moves the owner's switch of all asks. Throws as `changeByAgentOrJournal` does; then nothing is changed. */
export function moveSwitch(context: CliContext, stateDir: string, wanted: Wanted): Promise<Switched> {
  return changeByAgentOrJournal(
    context,
    stateDir,
    () =>
      wanted.frozen
        ? askAgent(context, stateDir, ENDPOINTS.priceFreeze, { body: { note: wanted.note } })
        : askAgent(context, stateDir, ENDPOINTS.priceUnfreeze, { body: {} }),
    ({ prices }) => moveIn(prices, wanted, context),
  );
}

function moveIn(
  prices: Pick<PriceStore, 'freeze' | 'setFreeze'>,
  wanted: Wanted,
  { caller: by, clock }: Pick<CliContext, 'caller' | 'clock'>,
): z.output<typeof PRICE_VIEWS.switched> {
  const before = prices.freeze();
  if ((before !== undefined) === wanted.frozen) return { changed: false, frozen: freezeAnswer(before) };
  const at = clock.now();
  const note = wanted.frozen ? wanted.note : undefined;
  const freeze = wanted.frozen ? { at, by, note } : undefined;
  const action = wanted.frozen ? 'price-freeze' : 'price-unfreeze';
  prices.setFreeze(freeze, { at, by, from: WITHOUT_AGENT, action, detail: JSON.stringify({ note }) });
  return { changed: true, frozen: freezeAnswer(freeze) };
}
