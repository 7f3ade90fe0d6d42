import { HttpBroker } from '../../broker/client.ts';
import { offerSettings } from '../../compose.ts';
import { openProbe } from '../../compose-gpu.ts';
import type { Config, Loaded } from '../../config/config.ts';
import { Secret } from '../../config/secret.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { CatalogueGpu, Gpu } from '../../domain/gpu.ts';
import { namedCatalogue } from '../../domain/named-catalogue.ts';
import { type HostPlan, planOffers } from '../../domain/plan-offers.ts';
import type { MarketOffer } from '../../domain/ports/broker.ts';
import type { CheckResult } from '../check/check-result.ts';
import { runChecks } from '../check/checks.ts';
import { collect } from '../check/collect.ts';
import type { CliContext } from '../command.ts';
import { gpuLimits } from '../gpu-limits.ts';
import { withTransport } from '../login/broker.ts';
import { type QueryResult, query, valueOf } from '../query.ts';

/** What setup has found on this host and at the broker. */
export type Explored = {
  /** What the checks have found wrong, without what setup is about to ask or do. */
  readonly wrong: readonly CheckResult[];
  readonly gpus: readonly Gpu[];
  /** Why no GPU was found; undefined: there is one. */
  readonly noGpu: AgentError | undefined;
  /** Empty where the broker did not answer. */
  readonly catalogue: readonly CatalogueGpu[];
  readonly market: Market;
};

/** What is offered at the broker; undefined: it did not say. */
export type Market = {
  readonly offers: readonly MarketOffer[] | undefined;
  readonly own: ReadonlySet<string>;
};

/** Asked, written or started by setup itself. */
const OWN_CHECKS: readonly string[] = ['ask price', 'token', 'job network', 'configuration'];

const BROKER = {
  ms: 10_000,
  code: 'BROKER_UNREACHABLE',
  who: 'the broker',
  hint: 'check --broker-url and this host’s internet connection',
} as const;
/** In place of a price that is yet to be asked, so that the checks do not miss it. */
const SOME_ASK = 1;

/** Looks at host and market side by side. Never throws. */
export async function explore(
  context: CliContext,
  loaded: Loaded,
  { check, token }: { readonly token: string; readonly check: boolean },
): Promise<Explored> {
  const assumed = assume(loaded, token);
  const market = marketOf(loaded.config, token);
  if (check) {
    const facts = await collect(context, assumed);
    const wrong = runChecks(assumed, facts).filter(
      ({ check: name, level }) => level !== 'ok' && !OWN_CHECKS.includes(name),
    );
    return { wrong, ...gpusOf(facts.gpus), catalogue: valueOf(facts.catalogue) ?? [], market: await market };
  }
  const { config } = loaded;
  const gpus = await query(gpuLimits(config.nvidiaSmiTimeout), (signal) => openProbe(config).read(signal));
  const catalogue = await withBroker(
    config,
    token,
    async (broker, signal) => (await broker.gpus(signal)).items,
  );
  return { wrong: [], ...gpusOf(gpus), catalogue: valueOf(catalogue) ?? [], market: await market };
}

/** What would be offered, whatever the prices are. */
export function planOf(config: Config, { catalogue, gpus }: Pick<Explored, 'catalogue' | 'gpus'>): HostPlan {
  const settings = offerSettings(config);
  return planOffers(gpus, namedCatalogue(catalogue), {
    ...settings,
    askPrice: settings.askPrice ?? SOME_ASK,
    gpu: (model) => {
      const terms = settings.gpu(model);
      return { ...terms, askPrice: terms.askPrice ?? SOME_ASK };
    },
  });
}

function gpusOf(reading: QueryResult<{ readonly gpus: readonly Gpu[] }>): Pick<Explored, 'gpus' | 'noGpu'> {
  if ('error' in reading) return { gpus: [], noGpu: reading.error };
  return { gpus: reading.value.gpus, noGpu: undefined };
}

/** As if the token were written and a price set. */
function assume({ config, sources, warnings }: Loaded, token: string): Loaded {
  return {
    config: {
      ...config,
      token: new Secret(token),
      tokenFile: undefined,
      askPrice: config.askPrice ?? SOME_ASK,
    },
    sources,
    warnings,
  };
}

async function marketOf(config: Config, token: string): Promise<Market> {
  const found = await withBroker(config, token, async (broker, signal) => {
    const [offers, instances] = await Promise.all([broker.offers(signal), broker.instances(signal)]);
    return { offers: offers.items, own: new Set(instances.items.map(({ uuid }) => uuid)) };
  });
  return valueOf(found) ?? { offers: undefined, own: new Set() };
}

function withBroker<T>(
  config: Config,
  token: string,
  work: (broker: HttpBroker, signal: AbortSignal) => Promise<T>,
): Promise<QueryResult<T>> {
  return query(BROKER, (signal) =>
    withTransport(config, token, (transport) => work(new HttpBroker(transport), signal)),
  );
}
