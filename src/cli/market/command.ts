import { offerSettings } from '../../compose.ts';
import { openBroker } from '../../compose-broker.ts';
import { openDocker } from '../../compose-docker.ts';
import { openProbe } from '../../compose-gpu.ts';
import type { Loaded } from '../../config/config.ts';
import type { ImageState } from '../../domain/decide.ts';
import type { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { type MinFreeMemory, shortageOf } from '../../domain/gpu-memory.ts';
import { namedCatalogue } from '../../domain/named-catalogue.ts';
import type { Offer } from '../../domain/offer.ts';
import { type OfferProblem, planOffers } from '../../domain/plan-offers.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import { readHostMemory } from '../../host/memory.ts';
import { within } from '../../lib/deadline.ts';
import type { DockerImages } from '../../runtime/docker/image/images.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { count } from '../count.ts';
import { gpuLimits } from '../gpu-limits.ts';
import { type QueryLimits, type QueryResult, query, valueOf } from '../query.ts';
import { ASK, DAYS, showBacktest } from './backtest.ts';
import { evaluate } from './evaluate.ts';
import { showHistory } from './history.ts';
import { marketJson, marketText, type Shown } from './render.ts';
import { openSlotTimes } from './slot-times.ts';

const MAX_RESOLVED = 200;
const RESOLVE_MS = 60_000;

const LIMITS = {
  broker: { ms: 60_000, code: 'BROKER_UNREACHABLE', who: 'the broker', hint: 'try again later' },
  docker: {
    ms: 8_000,
    code: 'RUNTIME_UNAVAILABLE',
    who: 'Docker',
    hint: 'run sharedcloud-agent check',
  },
} as const satisfies Readonly<Record<string, QueryLimits>>;

/** Polls the market once. Claims nothing, and neither registers nor changes an instance. */
export const market: CliCommand = {
  name: 'market',
  summary: 'show every open run and whether this host would take it; claims nothing',
  group: 'Look',
  actions: [
    {
      name: 'backtest',
      help: 'what other asks would have earned here, by a replay of the market history of the running agent',
    },
    { name: 'history', help: 'how much of the market is recorded, and what buyers bid' },
  ],
  actionOptional: true,
  options: [
    'brokerUrl',
    'tokenFile',
    'askPrice',
    'slotsPerGpu',
    'cpuSlots',
    'timeZone',
    'images',
    'maxImageSize',
    'jobTimeout',
    'dockerHost',
    'dockerContext',
    'dockerConfig',
    'dockerTlsVerify',
    'dockerCertPath',
    'nvidiaSmi',
    'nvidiaSmiTimeout',
    'minFreeGpuMemory',
    'stateDir',
    'configFile',
  ],
  switches: [JSON_SWITCH],
  values: [ASK, DAYS],
  examples: [
    { line: 'market', does: 'with the configured price and images' },
    { line: 'market --ask-price 0.02', does: 'what a lower price would change' },
    { line: 'market backtest --ask 0.03,0.05,0.08 --days 7', does: 'what these asks would have earned' },
  ],
  run: async (context) => {
    const loaded = await context.loadConfig({ ask: false });
    if (context.action === 'backtest') return showBacktest(context, loaded.config.stateDir);
    if (context.action === 'history') return showHistory(context, loaded.config.stateDir);
    const opened = openBroker({ ...context, loaded });
    try {
      const shown = await inspectMarket(context, loaded, opened.broker);
      context.stdout.write(context.has(JSON_SWITCH) ? marketJson(shown) : marketText(shown, context.stdout));
      return EXIT.OK;
    } finally {
      await opened.close();
    }
  },
};

async function inspectMarket(context: CliContext, loaded: Loaded, broker: Broker): Promise<Shown> {
  const { config } = loaded;
  const { clock, redactor } = context;
  const signal = within(RESOLVE_MS);
  const docker = openDocker(
    { loaded, clock, redactor, log: context.createLog(config) },
    'market',
    () => undefined,
  );
  const [seen, catalogue, gpus, engine] = await Promise.all([
    query(LIMITS.broker, (signal) =>
      broker.runs({ instance: undefined, etag: undefined, waitSeconds: 0, signal }),
    ).then(orThrow),
    query(LIMITS.broker, async (signal) => (await broker.gpus(signal)).items).then(orThrow),
    query(gpuLimits(config.nvidiaSmiTimeout), async (signal) => (await openProbe(config).read(signal)).gpus),
    query(LIMITS.docker, (signal) => docker.probe(signal)),
  ]);
  using times = openSlotTimes(config, valueOf(gpus) ?? [], clock.now());
  const plan = planOffers(valueOf(gpus) ?? [], namedCatalogue(catalogue), offerSettings(config));
  const short = shortOfMemory(valueOf(gpus) ?? [], config.minFreeGpuMemory);
  const offers = plan.offers.map(
    (offer): Offer => ({ ...offer, askPrice: times.askOf(offer), instance: 'none' }),
  );
  const host = {
    offers,
    catalogue: new Map(catalogue.map((gpu) => [gpu.uuid, gpu])),
    images: config.images,
    shortOfMemory: new Set(short.map(({ uuid }) => uuid)),
    times,
    maxResolved: MAX_RESOLVED,
  };
  const found = await evaluate(seen.runs, host, {
    broker,
    imageState: 'value' in engine ? (ref) => imageState(docker.images, ref, signal) : undefined,
    signal,
  });
  const [unread] = seen.invalid;
  const notRead =
    unread === undefined
      ? []
      : [
          `${count(seen.invalid.length + seen.moreInvalid, 'run')} could not be read, such as ${unread.uuid ?? 'one'}: ${unread.reason}`,
        ];
  const cut = seen.isCut
    ? [
        `the broker lists more runs than are read; ${count(seen.runs.length, 'run')} with the highest bids are shown`,
      ]
    : [];
  return {
    broker: config.brokerUrl,
    offers,
    problems: [
      ...problemOf('GPUs', gpus),
      ...plan.problems,
      ...short.map(({ hint, what, why }) => ({ what, why, hint })),
      ...problemOf('images count as not pulled', engine),
    ],
    rows: found.rows,
    notes: [...notRead, ...cut, ...found.notes],
  };
}

/** Asks the registry of an image that is not pulled for its platforms. */
async function imageState(images: DockerImages, ref: string, signal: AbortSignal): Promise<ImageState> {
  if ((await images.find(ref)) !== undefined) return 'ready';
  return (await images.isForeign(ref, signal)) ? 'wrong-platform' : 'missing';
}

type ShortGpu = OfferProblem & { readonly uuid: string };

/** The GPUs that get no jobs for lack of free memory; jobs that run on them now count as well. */
function shortOfMemory(gpus: readonly Gpu[], min: MinFreeMemory): readonly ShortGpu[] {
  return gpus.flatMap((gpu): readonly ShortGpu[] => {
    const short = gpu.fault === undefined ? shortageOf(gpu, min, readHostMemory()) : undefined;
    if (short === undefined) return [];
    return [{ uuid: gpu.uuid, what: `GPU ${gpu.index}, ${gpu.model} (${gpu.uuid})`, ...short }];
  });
}

function orThrow<T>(answer: QueryResult<T>): T {
  if ('error' in answer) throw answer.error;
  return answer.value;
}

function problemOf(what: string, answer: QueryResult<unknown>): readonly OfferProblem[] {
  return 'error' in answer ? [problem(what, answer.error)] : [];
}

function problem(what: string, { hint, message }: AgentError): OfferProblem {
  return { what, why: message, hint: hint ?? 'run sharedcloud-agent check' };
}
