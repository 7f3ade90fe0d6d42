import { count } from '../../config/number-types.ts';
import { single } from '../../config/value-type.ts';
import { changeAnswer, freezeAnswer } from '../../control/price-routes.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { readJournal } from '../../journal/open-journal.ts';
import { askAgent, doesNotAnswer } from '../ask-agent.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type ValueFlag } from '../command.ts';
import { NOTE } from '../owner/flags.ts';
import { readTerms, termsJson, termsText } from './explain.ts';
import { pricesJson, pricesText, type ShownPrices, switchedText } from './render.ts';
import { moveSwitch } from './switch.ts';

const LIMIT: ValueFlag<number> = {
  name: 'limit',
  help: 'the number of changes that are shown',
  type: count(0, 1000),
  default: '20',
  action: '',
};
const OFFER: ValueFlag<string> = {
  name: 'offer',
  help: 'the offer that is explained, as `price` names it; else all are',
  type: single({ metavar: 'KEY', parse: (key) => key, show: (key) => key }),
  default: '',
  action: 'explain',
};
const FREEZE_NOTE: ValueFlag<string> = { ...NOTE, action: 'freeze' };

/** What offers ask, and the switch that stops all changes. */
export const price: CliCommand = {
  name: 'price',
  summary: 'show what each offer asks, why, and how that has changed; stop all changes',
  group: 'Look',
  actions: [
    { name: 'explain', help: 'what a job costs and the floor, with every term and where it comes from' },
    { name: 'freeze', help: 'stop all changes of asks, by strategies and by what jobs cost' },
    { name: 'unfreeze', help: 'let asks change again' },
  ],
  actionOptional: true,
  options: ['stateDir', 'configFile'],
  switches: [JSON_SWITCH],
  values: [LIMIT, OFFER, FREEZE_NOTE],
  examples: [
    { line: 'price', does: 'each offer, and the latest 20 changes with their reasons' },
    {
      line: 'price explain --offer cpu',
      does: 'what a job costs there and what the ask leaves',
    },
    { line: 'price freeze --note benchmark', does: 'until `price unfreeze`; a restart changes nothing' },
  ],
  run: async (context) => {
    const { stateDir } = (await context.loadConfig({ ask: false })).config;
    const { action, clock, stdout } = context;
    const isJson = context.has(JSON_SWITCH);
    if (action === 'explain') {
      const terms = await readTerms(context, stateDir, context.valueOf(OFFER));
      stdout.write(isJson ? termsJson(terms) : termsText(terms, stdout));
      return EXIT.OK;
    }
    if (action !== '') {
      const note = action === 'freeze' ? context.valueOf(FREEZE_NOTE) || undefined : undefined;
      const wanted = action === 'freeze' ? ({ frozen: true, note } as const) : ({ frozen: false } as const);
      stdout.write(switchedText(await moveSwitch(context, stateDir, wanted), isJson));
      return EXIT.OK;
    }
    const shown = await readPrices(context, stateDir, context.valueOf(LIMIT));
    stdout.write(isJson ? pricesJson(shown) : pricesText(shown, clock.now(), stdout));
    return EXIT.OK;
  },
};

/** Of the running agent, which knows the offers; else of the journal. Throws what either throws. */
async function readPrices(context: CliContext, stateDir: string, limit: number): Promise<ShownPrices> {
  const asked = await askAgent(context, stateDir, ENDPOINTS.prices, { rest: `?limit=${limit}` });
  if (asked.kind === 'answer') return { prices: asked.answer, isRunning: true };
  if (asked.kind === 'silent') throw doesNotAnswer();
  const journal = readJournal(stateDir);
  try {
    const changes = journal?.prices.changes(limit).map(changeAnswer) ?? [];
    const frozen = freezeAnswer(journal?.prices.freeze());
    return { prices: { frozen, offers: [], changes }, isRunning: false };
  } finally {
    journal?.close();
  }
}
