import { offerSettings, openBroker, openDocker, openProbe } from '../../compose.ts';
import type { Loaded } from '../../config/config.ts';
import type { AgentError } from '../../domain/errors.ts';
import type { Offer } from '../../domain/offer.ts';
import { type OfferProblem, planOffers } from '../../domain/plan-offers.ts';
import type { Broker } from '../../domain/ports.ts';
import { HostShare } from '../../host/job-share.ts';
import { within } from '../../lib/deadline.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { type Answer, look, type Patience, valueOf } from '../query.ts';
import { survey } from './evaluate.ts';
import { marketJson, marketText, type Shown } from './render.ts';

const MOST_LOOK_UPS = 200;
const LOOK_UPS_MS = 60_000;

const PATIENCE = {
  broker: { ms: 60_000, code: 'BROKER_UNREACHABLE', who: 'the broker', mend: 'try again later' },
  gpus: { ms: 20_000, code: 'GPU_PROBE_HUNG', who: 'nvidia-smi', mend: 'sharedcloud-agent check tells more' },
  docker: {
    ms: 8_000,
    code: 'RUNTIME_UNAVAILABLE',
    who: 'Docker',
    mend: 'sharedcloud-agent check tells more',
  },
} as const satisfies Readonly<Record<string, Patience>>;

/** One look at the configured broker's market. Nothing is claimed, and no instance is made or changed there. */
export const market: CliCommand = {
  name: 'market',
  summary: 'one look at the market, claiming nothing: every open run, taken or not and why',
  options: [
    'brokerUrl',
    'tokenFile',
    'askPrice',
    'slotsPerGpu',
    'cpuSlots',
    'images',
    'maxImageSize',
    'dockerHost',
    'nvidiaSmi',
    'configFile',
  ],
  switches: [JSON_SWITCH],
  values: [],
  run: async (context) => {
    const loaded = await context.loadConfig({ ask: false });
    const opened = openBroker({ ...context, loaded });
    try {
      const shown = await lookAtMarket(context, loaded, opened.broker);
      context.stdout.write(context.has(JSON_SWITCH) ? marketJson(shown) : marketText(shown));
      return EXIT.OK;
    } finally {
      await opened.close();
    }
  },
};

async function lookAtMarket(context: CliContext, loaded: Loaded, broker: Broker): Promise<Shown> {
  const { config } = loaded;
  const docker = openDocker({ loaded, clock: context.clock }, 'market', new HostShare(), () => undefined);
  const [seen, catalogue, gpus, engine] = await Promise.all([
    look(PATIENCE.broker, (signal) =>
      broker.runs({ instance: undefined, etag: undefined, waitSeconds: 0, signal }),
    ).then(orThrow),
    look(PATIENCE.broker, async (signal) => (await broker.gpus(signal)).items).then(orThrow),
    look(PATIENCE.gpus, (signal) => openProbe(config).gpus(signal)),
    look(PATIENCE.docker, (signal) => docker.probe(signal)),
  ]);
  const plan = planOffers(valueOf(gpus) ?? [], catalogue, offerSettings(config));
  const offers = plan.offers.map((offer): Offer => ({ ...offer, instance: 'none' }));
  const host = {
    offers,
    catalogue: new Map(catalogue.map((gpu) => [gpu.uuid, gpu])),
    images: config.images,
    mostLookUps: MOST_LOOK_UPS,
  };
  const found = await survey(seen.runs, host, {
    broker,
    findImage: 'value' in engine ? (ref) => docker.images.find(ref) : undefined,
    signal: within(LOOK_UPS_MS),
  });
  const [unread] = seen.invalid;
  const notRead =
    unread === undefined
      ? []
      : [`${seen.invalid.length} runs cannot be read, such as ${unread.uuid ?? 'one'}: ${unread.reason}`];
  return {
    broker: config.brokerUrl,
    offers,
    problems: [
      ...problemOf('GPUs', gpus),
      ...plan.problems,
      ...problemOf('images count as not here', engine),
    ],
    rows: found.rows,
    notes: [...notRead, ...found.notes],
  };
}

function orThrow<T>(answer: Answer<T>): T {
  if ('error' in answer) throw answer.error;
  return answer.value;
}

function problemOf(what: string, answer: Answer<unknown>): readonly OfferProblem[] {
  return 'error' in answer ? [problem(what, answer.error)] : [];
}

function problem(what: string, { mend, message }: AgentError): OfferProblem {
  return { what, why: message, mend: mend ?? 'sharedcloud-agent check tells more' };
}
