import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Overrides } from '../../compose.ts';
import { openProbe } from '../../compose-gpu.ts';
import type { Config } from '../../config/config.ts';
import type { Language } from '../../domain/language.ts';
import { ProcessRuntime } from '../../embedded/runtime/process-runtime.ts';
import { within } from '../../lib/deadline.ts';
import { readablePrice } from '../../lib/readable.ts';
import type { SeededRandom } from '../../lib/seeded-random.ts';
import type { CliContext } from '../command.ts';
import type { Interruption } from '../interruption.ts';
import { type DryRunGpus, dryRunGpus } from './gpu.ts';
import { findInterpreters, type Interpreters } from './interpreters.ts';
import { liveGpus } from './live/gpus.ts';
import { LIVE_ASK } from './live/samples.ts';
import { type DryRunMarket, openMarket, type SampleImage } from './market.ts';
import { DRY_RUN_ASK, type Sample, samplesFor } from './samples.ts';

const NODE_IMAGE = 'sharedcloud/node24:latest';
const PYTHON_IMAGE = 'sharedcloud/python36:latest';
const GPU_PROBE_MS = 30_000;

/** What must end with the dry run. */
export type Bounds = {
  readonly interruption: Interruption;
  /** Disposed of before the dry run ends. */
  readonly cleanup: AsyncDisposableStack;
  readonly workDir: string;
};

/** The market of a dry run, and what stands in for this host. */
export type Scenario = {
  readonly market: DryRunMarket;
  readonly samples: readonly Sample[];
  readonly offer: 'gpu' | 'cpu';
  /** Of jobs in Docker; undefined: they are processes. */
  readonly image: string | undefined;
  /** What chance decides in a dry run that goes on; undefined: it ends with its samples. */
  readonly live: SeededRandom | undefined;
  /** The best language for jobs here. */
  readonly language: Language;
  readonly images: readonly string[];
  readonly overrides: Overrides;
  /** What the dry run uses: each subject with its description. */
  readonly intro: Readonly<Record<string, string>>;
};

/**
 * Opens the embedded broker with the samples that can run here. `image`: of jobs in Docker; undefined: processes. `live`: the
 * random numbers of a market that goes on, and has no samples yet.
 */
export async function openScenario(
  context: CliContext,
  { config, image, live }: { readonly config: Config } & Pick<Scenario, 'image' | 'live'>,
  bounds: Bounds,
): Promise<Scenario> {
  context.stderr.write('dry run: nothing leaves this machine\n');
  const gpus =
    live !== undefined && image === undefined
      ? liveGpus(context.clock, () => live.next())
      : await askForGpus(context, config, bounds);
  // Docker cannot give a container a simulated GPU.
  const offer = image !== undefined && gpus.simulated !== undefined ? 'cpu' : 'gpu';
  const interpreters = image === undefined ? await findInterpreters(process.execPath) : undefined;
  const images = imagesFor(image, interpreters);
  const languages = (['python', 'node'] as const).filter((language) => images[language] !== undefined);
  const samples = live === undefined ? samplesFor(languages, offer) : [];
  const market = await openMarket(samples, images, offer);
  bounds.cleanup.defer(() => market.broker.close());
  const runtime =
    interpreters === undefined
      ? {}
      : { runtime: await processRuntime(context, market, interpreters, bounds) };
  return {
    market,
    samples,
    offer,
    language: languages.includes('node') ? 'node' : 'python',
    image,
    live,
    images: Object.values(images).map(({ registryPath }) => registryPath),
    overrides: { ...runtime, ...gpuOverrides(gpus, { offer, live }), host: 'dry run' },
    intro: {
      broker: `embedded, at ${market.url}`,
      gpu: `${gpus.names}${gpus.simulated === undefined ? '' : `, SIMULATED (${gpus.simulated})`}`,
      ...(offer === 'cpu' && { offer: 'CPU jobs, because Docker cannot use a simulated GPU' }),
      jobs:
        image === undefined ? 'local processes (--docker runs them in containers)' : `containers of ${image}`,
      ask: `${readablePrice(live === undefined ? DRY_RUN_ASK : LIVE_ASK)} per job and minute`,
      ...(live === undefined &&
        !languages.includes('python') && { python: 'not installed: only Node.js samples' }),
    },
  };
}

function askForGpus(context: CliContext, config: Config, { interruption }: Bounds): Promise<DryRunGpus> {
  context.stderr.write('asking nvidia-smi for GPUs\n');
  return dryRunGpus(openProbe(config), within(GPU_PROBE_MS, interruption.first));
}

/** The GPUs that the agent sees; of a dry run that goes on the host's own as any agent sees them, with their figures. */
function gpuOverrides(
  { observe, probe, samples, simulated }: DryRunGpus,
  { live, offer }: Pick<Scenario, 'live' | 'offer'>,
): Overrides {
  if (offer === 'cpu') return { probe: { read: () => Promise.resolve({ gpus: [], notices: [] }) } };
  if (live !== undefined && simulated === undefined) return {};
  return { probe, ...(samples && { samples }), ...(observe && { observe }) };
}

function imagesFor(
  image: string | undefined,
  interpreters: Interpreters | undefined,
): Readonly<Partial<Record<Language, SampleImage>>> {
  if (interpreters === undefined)
    return { python: { registryPath: image ?? PYTHON_IMAGE, runtime: 'python36' } };
  return {
    node: { registryPath: NODE_IMAGE, runtime: 'node24' },
    ...(interpreters.python && { python: { registryPath: PYTHON_IMAGE, runtime: 'python36' } }),
  };
}

async function processRuntime(
  { clock, path }: CliContext,
  market: DryRunMarket,
  interpreters: Interpreters,
  bounds: Bounds,
): Promise<NonNullable<Overrides['runtime']>> {
  const workDir = join(bounds.workDir, 'processes');
  await mkdir(workDir);
  const runtime = new ProcessRuntime({
    interpreters: {
      [NODE_IMAGE]: interpreters.node,
      ...(interpreters.python && { [PYTHON_IMAGE]: interpreters.python }),
    },
    brokerUrl: market.url,
    embeddedBrokerUrl: market.url,
    workDir,
    path,
    clock,
  });
  bounds.cleanup.use(runtime);
  bounds.interruption.second.addEventListener('abort', () => runtime.killAll());
  return () => runtime;
}
