import { z } from 'zod';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { PRICE_TERMS_VIEW } from '../../control-api/price-terms-view.ts';
import { AgentError } from '../../domain/errors.ts';
import { readablePrice } from '../../lib/readable.ts';
import { askRunningAgent } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { linesOf, type Page } from '../lines.ts';

export type PriceTerms = z.output<typeof PRICE_TERMS_VIEW>;
type Offer = PriceTerms['offers'][number];
type Gpu = Offer['gpus'][number];
type Row = readonly [label: string, text: string];

const LABEL_WIDTH = 18;

/** Of the running agent, of one offer or of all. Throws CONFIG_INVALID, and as `askRunningAgent`. */
export async function readTerms(context: CliContext, stateDir: string, offer: string): Promise<PriceTerms> {
  const hint = 'start it: what GPUs take and what is offered is known to the running agent only';
  const terms = await askRunningAgent(context, stateDir, ENDPOINTS.priceTerms, {}, { hint });
  const offers = terms.offers.filter((one) => offer === '' || one.offer === offer);
  if (offer !== '' && offers.length === 0) {
    const keys = terms.offers.map((one) => one.offer).join(', ');
    throw new AgentError('CONFIG_INVALID', `--offer: the agent has no offer ${offer}`, {
      hint: keys === '' ? 'see `sharedcloud-agent status`: nothing is offered yet' : `name one of: ${keys}`,
    });
  }
  return { ...terms, offers };
}

/** As JSON, with everything. */
export function termsJson(terms: PriceTerms): string {
  return `${JSON.stringify(z.encode(PRICE_TERMS_VIEW, terms), null, 2)}\n`;
}

/** Every term of the floors for people. */
export function termsText(terms: PriceTerms, page: Page): string {
  const blocks = terms.offers.map((offer) => offerText(offer, page));
  const none = blocks.length === 0 ? ['nothing is offered yet\n'] : blocks;
  return [rowsText(commonRows(terms), page), ...none].join('\n');
}

function commonRows({
  brokerFee,
  currency,
  currencyRate,
  hostW,
  isCalibrated,
  isStale,
  perGpuWatt,
  wearPerHour,
  ...prices
}: PriceTerms): readonly Row[] {
  const hours = Number((prices.durationMs / 3_600_000).toFixed(2));
  const host = hostW === 0 ? '' : `, and ${watts(hostW)} of the host`;
  return [
    ['price now', priceText(prices.priceNow, currency, currencyRate)],
    [`price over ${hours} h`, priceText(prices.price, currency, currencyRate)],
    ...(isStale ? [['', 'none is published for now: see the log'] as const] : []),
    [
      'at the wall',
      `${Number(perGpuWatt.toFixed(3))} W for 1 W of a GPU${host} (${isCalibrated ? 'calibrated' : 'assumed: set --power-calibration'})`,
    ],
    ['wear', `${money(wearPerHour)} for an hour of work (--wear-per-hour)`],
    ['broker’s fee', `${percent(brokerFee)} (--broker-fee)`],
  ];
}

function priceText(price: PriceTerms['price'], currency: string, rate: number): string {
  if (price === null) return 'not known: set --electricity-price, else there is no floor';
  const part = price.known < 1 ? `, for ${percent(price.known)} of the time` : '';
  const from = {
    assumed: 'assumed, by those published before',
    configured: 'configured',
    published: 'published',
  };
  const own =
    currency === 'USD' ? '' : `${currency} ${readablePrice(price.dollarsPerKWh / rate).slice(1)} x ${rate}, `;
  return `${money(price.dollarsPerKWh)} per kWh (${own}${from[price.source]}${part})`;
}

function offerText({ ask, floor, gpus, offer }: Offer, page: Page): string {
  const asks = `${offer} asks ${money(ask)} for a minute; floor: ${floor === null ? 'not known' : money(floor)}`;
  const title = linesOf(asks, page).map((line) => `${line}\n`);
  if (gpus.length === 0)
    return [...title, rowsText([['', 'no GPU is in it, and so it has no floor']], page)].join('');
  return [...title, ...gpus.map((gpu) => rowsText(gpuRows(gpu), page))].join('');
}

function gpuRows(gpu: Gpu): readonly Row[] {
  const {
    busyFrom,
    busyW,
    dollarsPerKWh,
    floor,
    idleW,
    jobs,
    leftPerHour,
    marginalW,
    paidShare,
    power,
    wear,
  } = gpu;
  const from =
    busyFrom === 'jobs'
      ? `the most of ${jobs === 1 ? 'a job' : `the latest ${jobs} jobs`}`
      : 'its power limit: fewer than four jobs measured';
  const rows: Row[] = [
    ['  GPU', gpu.gpu],
    ['  idle', idleW === null ? 'not measured yet: 0 W counts' : `${watts(idleW)} (measured)`],
    [
      '  at work',
      busyW === null ? 'not known: neither a job nor a power limit was read' : `${watts(busyW)} (${from})`,
    ],
  ];
  if (floor === null || marginalW === null || paidShare === null) return rows;
  rows.push(
    ['  at the wall', `${watts(marginalW)} more at work than idle`],
    ['  cost', `power ${money(power ?? 0)} + wear ${money(wear ?? 0)} for a minute`],
    ['', `by ${money(dollarsPerKWh ?? 0)} per kWh`],
    ['  paid share', `${percent(paidShare)} of the minutes of work (latest jobs)`],
    ['  floor', `${money(floor)} for a minute`],
    ['  the ask leaves', `${money(leftPerHour ?? 0)} of an hour of work`],
  );
  return rows;
}

function rowsText(rows: readonly Row[], page: Page): string {
  return rows
    .flatMap(([label, text]) =>
      linesOf(text, page, LABEL_WIDTH).map(
        (line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}\n`,
      ),
    )
    .join('');
}

/** Floors are small: to a millionth. */
function money(dollars: number): string {
  const amount = Math.abs(dollars);
  return `${dollars < 0 ? '-' : ''}${amount >= 1 ? `$${amount.toFixed(2)}` : readablePrice(amount)}`;
}

function watts(amount: number): string {
  return `${Math.round(amount)} W`;
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(1))} %`;
}
