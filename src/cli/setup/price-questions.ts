import type { Config, Loaded } from '../../config/config.ts';
import { type ElectricityPrices, electricityPrices } from '../../config/electricity-types.ts';
import { gpuSettings, plainModel } from '../../config/gpu-settings.ts';
import { price } from '../../config/number-types.ts';
import { OPTIONS } from '../../config/options.ts';
import { BadValue, type ValueType } from '../../config/value-type.ts';
import { AgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { OfferPlan } from '../../domain/offer.ts';
import { readablePrice } from '../../lib/readable.ts';
import type { CliContext } from '../command.ts';
import type { Validate } from '../prompts/prompts.ts';
import type { FileChange } from './changes.ts';
import type { Conversation } from './conversation.ts';
import { type Explored, planOf } from './explore.ts';
import { assumedFloor, factsText, othersAsks, type PriceFacts, proposeAsk } from './proposal.ts';

/** One price to be set: of a GPU model, or of CPU jobs. */
type Priced = {
  /** As nvidia-smi names it; undefined: CPU jobs. */
  readonly model: string | undefined;
  readonly facts: PriceFacts;
};

/** Asks for the price of everything that is offered. Throws CONFIG_INVALID where there is none and nobody can be asked. */
export async function askPrices(
  context: CliContext,
  loaded: Loaded,
  explored: Explored,
  talk: Conversation,
): Promise<readonly FileChange[]> {
  const { config, sources } = loaded;
  const { changes: power, perKWh } = await electricityPrice(config, explored.gpus, talk);
  const things = thingsOf(config, explored, perKWh);
  if (sources.askPrice.kind === 'flag') {
    for (const thing of things) warnIfBelow(thing, config.askPrice ?? 0, talk);
    return power;
  }
  const changes: FileChange[] = [...power];
  for (const thing of things) {
    const ask = await askFor(config, thing, talk);
    const proposal = proposeAsk(thing.facts);
    const day = new Date(context.clock.now()).toISOString().slice(0, 10);
    const reason = ask === proposal?.ask ? ` Proposed by setup on ${day}: ${proposal.why}.` : '';
    changes.push({
      path: pathOf(config, thing, things),
      value: ask,
      comment: `The minimum price of a job, in US dollars per job and minute.${reason}`,
    });
  }
  return changes;
}

/** US dollars for the dearest kWh, and what the file is to say of it. */
type PowerPrice = { readonly perKWh: number | undefined; readonly changes: readonly FileChange[] };

async function electricityPrice(
  { electricityCurrency, electricityCurrencyRate: rate = 1, electricityPrice: set }: Config,
  gpus: readonly Gpu[],
  { prompts }: Conversation,
): Promise<PowerPrice> {
  if (set !== undefined) return { perKWh: dearest(set) * rate, changes: [] };
  const isOfUse = gpus.some(({ powerLimitW }) => powerLimitW !== undefined);
  if (prompts === undefined || !isOfUse) return { perKWh: undefined, changes: [] };
  const unit = electricityCurrency === 'USD' ? 'US dollars' : electricityCurrency;
  const written = await prompts.text({
    message: `${unit} for a kWh of electricity (such as 0.30; empty: unknown)`,
    validate: validates({
      ...electricityPrices,
      read: (texts) => isEmpty(texts) || electricityPrices.read(texts),
    }),
  });
  if (isEmpty([written])) return { perKWh: undefined, changes: [] };
  const prices = electricityPrices.read([written]);
  const value = prices.rules.length === 0 ? prices.otherwise : electricityPrices.show(prices);
  const comment = `What a kWh costs, in ${unit}: no job is taken that costs more than it brings.`;
  return {
    perKWh: dearest(prices) * rate,
    changes: [{ path: [OPTIONS.electricityPrice.name], value, comment }],
  };
}

function isEmpty(texts: readonly string[]): boolean {
  return texts.every((text) => text.trim() === '');
}

function dearest({ otherwise, rules }: ElectricityPrices): number {
  return Math.max(otherwise, ...rules.map((rule) => rule.price));
}

/** What has a price of its own, each once. */
function thingsOf(config: Config, explored: Explored, perKWh: number | undefined): readonly Priced[] {
  const { gpus, market } = explored;
  const offers = planOf(config, explored).offers;
  const asksOf = (gpuName: string | undefined) =>
    market.offers && othersAsks(market.offers, gpuName, market.own);
  const ofGpus = [...Map.groupBy(gpus, ({ model }) => plainModel(model)).values()].flatMap(([gpu]) => {
    if (gpu === undefined) return [];
    const watts = gpu.powerLimitW;
    const facts = {
      asks: asksOf(entryOf(gpu, offers)),
      floor: watts === undefined || perKWh === undefined ? undefined : assumedFloor(watts, perKWh),
    };
    return [{ model: gpu.model, facts }];
  });
  const ofCpu = { model: undefined, facts: { asks: asksOf(undefined), floor: undefined } };
  return config.cpuSlots > 0 ? [...ofGpus, ofCpu] : ofGpus;
}

/** The name of its entry in the catalogue; one that no offer has: undefined means CPU jobs. */
function entryOf(gpu: Gpu, offers: readonly OfferPlan[]): string {
  const offer = offers.find(({ slots }) => slots.some((slot) => slot.gpu === gpu.uuid));
  return offer?.gpu?.name ?? '';
}

async function askFor(config: Config, thing: Priced, { prompts, say }: Conversation): Promise<number> {
  const current = currentAsk(config, thing);
  const proposal = proposeAsk(thing.facts);
  const initial = current ?? proposal?.ask;
  const name = thing.model ?? 'CPU jobs';
  say([name, ...factsText(thing.facts)].join('\n'));
  if (prompts === undefined) {
    if (initial === undefined)
      throw new AgentError('CONFIG_INVALID', `there is no price for ${name}, and nothing to propose one by`, {
        hint: 'set --ask-price in US dollars per job and minute, such as 0.05',
      });
    warnIfBelow(thing, initial, { say });
    return initial;
  }
  if (current === undefined && proposal !== undefined)
    say(`proposed: ${readablePrice(proposal.ask)}, ${proposal.why}`);
  for (;;) {
    const written = await prompts.text({
      message: `Your ask for ${name}: US dollars per job and minute`,
      ...(initial === undefined ? {} : { initial: String(initial) }),
      validate: validates(price),
    });
    const ask = price.read([written]);
    const problem = belowFloor(thing, ask);
    if (problem === undefined) return ask;
    if (await prompts.confirm({ message: `${problem}. Ask so little?`, initial: false })) return ask;
  }
}

function currentAsk(config: Config, { model }: Priced): number | undefined {
  return (model === undefined ? undefined : gpuSettings(config.gpus, model)?.askPrice) ?? config.askPrice;
}

/** What is wrong with an ask below the floor; undefined: it is not. */
function belowFloor({ facts: { floor }, model = 'CPU jobs' }: Priced, ask: number): string | undefined {
  if (floor === undefined || ask >= floor.perMinute) return undefined;
  return `${readablePrice(ask)} for ${model} is below the floor of ${readablePrice(floor.perMinute)}`;
}

function warnIfBelow(thing: Priced, ask: number, { say }: Pick<Conversation, 'say'>): void {
  const problem = belowFloor(thing, ask);
  if (problem !== undefined) say(`${problem}: its power can cost more than it earns`, 'warn');
}

/** A single price is that of the top of the file, unless the model has one of its own there. */
function pathOf({ gpus }: Config, { model }: Priced, all: readonly Priced[]): readonly string[] {
  const key = 'ask-price';
  if (model === undefined) return [key];
  const written = gpus.find((one) => plainModel(one.model) === plainModel(model));
  if (all.length === 1 && written?.askPrice === undefined) return [key];
  return ['gpu', written?.model ?? model, key];
}

/** What the option's own type says about an answer. */
export function validates(type: ValueType<unknown>): Validate {
  return (text) => {
    try {
      type.read([text]);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof BadValue)) throw thrown;
      return `${thrown.message}: ${thrown.hint}`;
    }
  };
}
