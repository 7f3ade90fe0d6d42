import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentEvent } from '../../agent/events/events.ts';
import { type AppParts, type Overrides, openAgent, openProbe, type Ports } from '../../compose.ts';
import type { Config, Loaded } from '../../config/config.ts';
import { configInvalid } from '../../config/problem.ts';
import { Secret } from '../../config/secret.ts';
import { imageName } from '../../config/text-types.ts';
import type { SkipReason } from '../../domain/decide.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import type { Language } from '../../domain/language.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import { ProcessRuntime } from '../../embedded/runtime/process-runtime.ts';
import { aborted, unlessAborted, within } from '../../lib/deadline.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { Interrupted, type Interruption, listenForInterruption } from '../interruption.ts';
import { pullProgress } from '../pull-progress.ts';
import { dryRunGpus } from './gpu.ts';
import { findInterpreters } from './interpreters.ts';
import { type DryRunMarket, openMarket, type SampleImage } from './market.ts';
import { type OutcomeRow, outcomeOf } from './outcome.ts';
import { removeJobs } from './remove-jobs.ts';
import { outcomeTable } from './render.ts';
import { DRY_RUN_ASK, type Sample, samplesFor } from './samples.ts';
import { makeWorkDir } from './work-dir.ts';

const DOCKER: Switch = { name: 'docker', help: 'run the jobs in Docker instead of as local processes' };
const SERVE: Switch = { name: 'serve', help: 'keep the embedded broker up afterwards, until Ctrl-C' };
const IMAGE: ValueFlag<string> = {
  name: 'image',
  help: 'with --docker: the Python image, which must run $CODE as the platform’s images do',
  type: imageName,
  default: 'sharedcloud/python36:latest',
};

/** Short, so that a reader need not wait long for the sample that never ends; a busy machine does the others in that. */
const JOB_TIMEOUT_MS = 5_000;
const SLOTS = 2;

/** The whole story on this machine alone: an embedded broker, sample runs, real jobs, real reports. */
export const dryRun: CliCommand = {
  name: 'dry-run',
  summary: 'try the agent on this machine alone, with an embedded broker and sample runs',
  group: 'Run',
  options: ['nvidiaSmi', 'dockerHost', 'gpuMode', 'jobUser', 'jobRuntime', 'logLevel', 'logFormat'],
  switches: [DOCKER, SERVE, JSON_SWITCH],
  values: [IMAGE],
  examples: [
    { line: 'dry-run', does: 'jobs are local processes; needs neither Docker nor a GPU' },
    { line: 'dry-run --docker', does: 'jobs are containers' },
  ],
  run: async (context) => {
    const interruption = listenForInterruption();
    const { second } = interruption;
    try {
      return await unlessAborted(show(context, interruption), second);
    } catch (thrown) {
      if (thrown instanceof Interrupted) return thrown.exit;
      throw thrown;
    } finally {
      interruption.ignore();
    }
  },
};

/** The whole dry run; leaves nothing behind. Throws Interrupted where a signal ended it before its table. */
async function show(context: CliContext, interruption: Interruption): Promise<number> {
  const { first } = interruption;
  const loaded = await context.loadConfig({ ask: false });
  if (context.has(IMAGE) && !context.has(DOCKER))
    throw configInvalid([
      {
        where: `--${IMAGE.name}`,
        what: 'means nothing to local processes',
        hint: 'give --docker too, or leave it out',
      },
    ]);
  await using left = new AsyncDisposableStack();
  const workDir = left.use(await makeWorkDir()).path;
  const tell = (): void => context.stderr.write('interrupted: ending the jobs of this dry run\n');
  first.addEventListener('abort', tell);
  const stage = await setStage(context, loaded, { interruption, left, workDir });
  first.throwIfAborted();
  for (const line of stage.intro) context.stderr.write(`${line}\n`);
  const rows = await play(context, stage, loaded, { interruption, workDir });
  first.removeEventListener('abort', tell);
  context.stdout.write(
    context.has(JSON_SWITCH)
      ? `${JSON.stringify({ runs: rows }, null, 2)}\n`
      : outcomeTable(rows, context.stdout.columns),
  );
  if (context.has(SERVE)) await serve(context, stage.market, first);
  return rows.every(({ wrong }) => wrong === undefined) ? EXIT.OK : EXIT.FAILED;
}

/** What all that a dry run begins must end with. */
type Bounds = {
  readonly interruption: Interruption;
  /** What is put in here is ended before the dry run does. */
  readonly left: AsyncDisposableStack;
  readonly workDir: string;
};

type Stage = {
  readonly market: DryRunMarket;
  readonly samples: readonly Sample[];
  readonly offer: 'gpu' | 'cpu';
  readonly images: readonly string[];
  readonly overrides: Overrides;
  readonly intro: readonly string[];
};

/** Builds the market and what the jobs run on. */
async function setStage(context: CliContext, loaded: Loaded, bounds: Bounds): Promise<Stage> {
  const { config } = loaded;
  const docker = context.has(DOCKER);
  const patience = within(30_000, bounds.interruption.first);
  context.stderr.write('dry run: nothing leaves this machine\nasking nvidia-smi for GPUs\n');
  const gpus = await dryRunGpus(openProbe(config), patience);
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
  bounds.left.defer(() => market.broker.close());
  const runtime =
    interpreters === undefined
      ? {}
      : { runtime: await processRuntime(context, market, interpreters, bounds) };
  return {
    market,
    samples,
    offer,
    images: Object.values(images).map(({ registryPath }) => registryPath),
    overrides: {
      ...runtime,
      ...(offer === 'gpu' ? { probe: gpus.probe } : { probe: { gpus: () => Promise.resolve([]) } }),
    },
    intro: [
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
  bounds: Bounds,
): Promise<NonNullable<Overrides['runtime']>> {
  const workDir = join(bounds.workDir, 'processes');
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
  bounds.left.use(runtime);
  bounds.interruption.second.addEventListener('abort', () => runtime.killAll());
  return () => runtime;
}

/** Lets an agent work the market off and compares what came out with what should have. */
async function play(
  context: CliContext,
  stage: Stage,
  loaded: Loaded,
  { interruption: { first }, workDir }: Omit<Bounds, 'left'>,
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
  let runtime: Runtime | undefined;
  const between = (ports: Ports): Ports => {
    runtime = ports.runtime;
    return ports;
  };
  const opened = await openAgent(parts, { once: true, onProgress }, { ...stage.overrides, observe, between });
  const stop = (): void => void opened.agent.stop();
  try {
    first.throwIfAborted();
    first.addEventListener('abort', stop);
    await opened.agent.run();
  } finally {
    first.removeEventListener('abort', stop);
    // Where no job was ever begun there is none to look for, and perhaps no engine to ask.
    if (runtime !== undefined && opened.journal.history(1).length > 0) await removeJobs(runtime, log);
    await opened.close();
  }
  first.throwIfAborted();
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
    jobTimeout: JOB_TIMEOUT_MS,
    jobNetwork: 'none',
    minFreeDisk: 0,
    // A show for people, also where its output is piped.
    logFormat: config.logFormat === 'auto' ? 'pretty' : config.logFormat,
  };
}

async function serve(
  context: CliContext,
  { buyerToken, url }: DryRunMarket,
  interrupted: AbortSignal,
): Promise<void> {
  context.stderr.write(`\nthe broker stays up; Ctrl-C ends it. Try:\n`);
  context.stderr.write(`  curl -H 'Authorization: Token ${buyerToken}' ${url}/api/v1/jobs/\n`);
  await aborted(interrupted);
}
