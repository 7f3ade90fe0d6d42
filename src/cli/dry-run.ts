import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentEvent } from '../agent/events.ts';
import { type AppParts, openAgent, openProbe, type Stead } from '../app.ts';
import type { Config, Loaded } from '../config/config.ts';
import { Secret } from '../config/secret.ts';
import { imageName } from '../config/text-types.ts';
import type { Language } from '../domain/language.ts';
import type { SkipReason } from '../domain/market.ts';
import { ProcessRuntime } from '../runtime/process/process-runtime.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from './command.ts';
import { dryRunGpus } from './dry-run/gpu.ts';
import { findInterpreters } from './dry-run/interpreters.ts';
import { type DryRunMarket, openMarket, type SampleImage } from './dry-run/market.ts';
import { type OutcomeRow, outcomeOf } from './dry-run/outcome.ts';
import { DRY_RUN_ASK, type Sample, samplesFor } from './dry-run/samples.ts';
import { outcomeTable } from './dry-run/table.ts';
import { EXIT } from './exit-codes.ts';
import { pullProgress } from './pull-progress.ts';
import { untilSignal } from './signals.ts';

const DOCKER: Switch = { name: 'docker', help: 'run the jobs in Docker instead of as local processes' };
const SERVE: Switch = { name: 'serve', help: 'keep the embedded broker up afterwards, until Ctrl-C' };
const IMAGE: ValueFlag<string> = {
  name: 'image',
  help: 'with --docker: the Python image to use, one that runs $CODE as the platform’s do',
  type: imageName,
  default: 'sharedcloud/python36:latest',
};

/** Short, so that a reader need not wait for the sample that never ends. */
const JOB_TIMEOUT_MS = 2_000;
const JOB_TIMEOUT_DOCKER_MS = 5_000;
const SLOTS = 2;

/** The whole story on this machine alone: an embedded broker, sample runs, real jobs, real reports. */
export const dryRun: CliCommand = {
  name: 'dry-run',
  summary: 'show the whole story on this machine alone, with an embedded broker and sample runs',
  options: ['nvidiaSmi', 'dockerHost', 'gpuMode', 'jobUser', 'logLevel', 'logFormat'],
  switches: [DOCKER, SERVE, JSON_SWITCH],
  values: [IMAGE],
  run: async (context) => {
    const loaded = await context.loadConfig({ ask: false });
    await using left = new AsyncDisposableStack();
    const workDir = await mkdtemp(join(tmpdir(), 'sharedcloud-dry-run-'));
    left.defer(() => rm(workDir, { recursive: true, force: true }));
    const stage = await setStage(context, loaded, workDir);
    left.defer(() => stage.market.broker.close());
    for (const line of stage.intro) context.stderr.write(`${line}\n`);
    const rows = await play(context, stage, loaded, workDir);
    context.stdout.write(
      context.has(JSON_SWITCH) ? `${JSON.stringify({ runs: rows }, null, 2)}\n` : outcomeTable(rows),
    );
    if (context.has(SERVE)) await serve(context, stage.market);
    return rows.every(({ wrong }) => wrong === undefined) ? EXIT.OK : EXIT.FAILED;
  },
};

type Stage = {
  readonly market: DryRunMarket;
  readonly samples: readonly Sample[];
  readonly offer: 'gpu' | 'cpu';
  readonly images: readonly string[];
  readonly stead: Stead;
  readonly intro: readonly string[];
};

/** Builds the market and what the jobs run on. */
async function setStage(context: CliContext, loaded: Loaded, workDir: string): Promise<Stage> {
  const { config } = loaded;
  const docker = context.has(DOCKER);
  const gpus = await dryRunGpus(openProbe(config), AbortSignal.timeout(30_000));
  // Docker can hand out no GPU that is not there; local processes do not mind.
  const offer = docker && gpus.simulated !== undefined ? 'cpu' : 'gpu';
  const interpreters = docker ? undefined : await findInterpreters(process.execPath);
  const images: Readonly<Partial<Record<Language, SampleImage>>> =
    interpreters === undefined
      ? { python: { registryPath: context.valueOf(IMAGE), runtime: 'python36' } }
      : {
          node: { registryPath: 'sharedcloud/node24:latest', runtime: 'node24' },
          ...(interpreters.python && {
            python: { registryPath: 'sharedcloud/python36:latest', runtime: 'python36' },
          }),
        };
  const languages = (['python', 'node'] as const).filter((language) => images[language] !== undefined);
  const samples = samplesFor(languages, offer);
  const market = await openMarket(samples, images, offer);
  const runtime =
    interpreters === undefined
      ? {}
      : { runtime: await processRuntime(context, market, interpreters, join(workDir, 'processes')) };
  return {
    market,
    samples,
    offer,
    images: Object.values(images).map(({ registryPath }) => registryPath),
    stead: {
      ...runtime,
      ...(offer === 'gpu' ? { probe: gpus.probe } : { probe: { gpus: () => Promise.resolve([]) } }),
    },
    intro: [
      'dry run: nothing leaves this machine',
      `broker   embedded, at ${market.url}`,
      `gpu      ${gpus.simulated === undefined ? gpus.names : `${gpus.names}, SIMULATED (${gpus.simulated})`}`,
      ...(offer === 'cpu' ? ['offer    CPU jobs, since Docker cannot hand out a simulated GPU'] : []),
      `jobs     ${docker ? `in Docker, image ${context.valueOf(IMAGE)}` : 'as local processes (--docker runs them in containers)'}`,
      `ask      $${DRY_RUN_ASK} per job and minute`,
      ...(languages.includes('python') || docker ? [] : ['python   none found here: only Node.js samples']),
    ],
  };
}

async function processRuntime(
  context: CliContext,
  market: DryRunMarket,
  interpreters: Awaited<ReturnType<typeof findInterpreters>>,
  workDir: string,
): Promise<NonNullable<Stead['runtime']>> {
  await mkdir(workDir);
  const runtime = new ProcessRuntime({
    interpreters: {
      'sharedcloud/node24:latest': interpreters.node ?? [process.execPath, '-e'],
      ...(interpreters.python && { 'sharedcloud/python36:latest': interpreters.python }),
    },
    brokerUrl: market.url,
    embeddedBrokerUrl: market.url,
    workDir,
    path: context.path,
    clock: context.clock,
  });
  return () => runtime;
}

/** Lets an agent work the market off and compares what came out with what should have. */
async function play(
  context: CliContext,
  stage: Stage,
  loaded: Loaded,
  workDir: string,
): Promise<readonly OutcomeRow[]> {
  const { market, samples } = stage;
  const config = dryRunConfig(context, stage, loaded.config, join(workDir, 'state'));
  const log = context.createLog(config);
  const skipped = new Map<string, SkipReason>();
  const observe = (event: AgentEvent): void => {
    if (event.kind === 'run-skipped') skipped.set(event.run.uuid, event.reason);
  };
  const parts: AppParts = { ...context, log, loaded: { ...loaded, config } };
  const onProgress = pullProgress(context.stderr, log, context.clock);
  const opened = await openAgent(parts, { once: true, onProgress }, { ...stage.stead, observe });
  try {
    await opened.agent.run();
  } finally {
    await opened.close();
  }
  return samples.map((sample) => {
    const run = market.runs.get(sample.name) ?? '';
    const jobs = market.broker.store.jobsOf(run);
    return outcomeOf({
      sample,
      jobs: jobs.map(({ cost, result, status }) => ({ status, result, cost: cost ?? 0 })),
      skipped: skipped.get(run),
    });
  });
}

/** The owner's configuration with the dry run's own broker, prices and directories. */
function dryRunConfig(context: CliContext, stage: Stage, config: Config, stateDir: string): Config {
  return {
    ...config,
    brokerUrl: stage.market.url,
    token: new Secret(stage.market.token),
    tokenFile: undefined,
    credentialsDirectory: undefined,
    askPrice: DRY_RUN_ASK,
    gpus: [],
    slotsPerGpu: SLOTS,
    cpuSlots: stage.offer === 'cpu' ? SLOTS : 0,
    images: stage.images,
    stateDir,
    pollInterval: 500,
    jobTimeout: context.has(DOCKER) ? JOB_TIMEOUT_DOCKER_MS : JOB_TIMEOUT_MS,
    jobNetwork: 'none',
    minFreeDisk: 0,
    // A show for people, also where its output is piped.
    logFormat: config.logFormat === 'auto' ? 'pretty' : config.logFormat,
  };
}

async function serve(context: CliContext, { buyerToken, url }: DryRunMarket): Promise<void> {
  context.stderr.write(`\nthe broker stays up; Ctrl-C ends it. Try:\n`);
  context.stderr.write(`  curl -H 'Authorization: Token ${buyerToken}' ${url}/api/v1/jobs/\n`);
  await untilSignal();
}
