import { join } from 'node:path';
import type { AgentEvent, Observer } from '../../agent/events/events.ts';
import { type AppParts, type OpenAgent, openAgent, type Ports } from '../../compose.ts';
import type { Config, Loaded } from '../../config/config.ts';
import { Secret } from '../../config/secret.ts';
import type { SkipReason } from '../../domain/decide.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import type { CliContext } from '../command.ts';
import { pullDisplay } from '../pull-display.ts';
import { type OutcomeRow, outcomeOf } from './outcome.ts';
import { removeJobs } from './remove-jobs.ts';
import { DRY_RUN_ASK } from './samples.ts';
import type { Scenario } from './scenario.ts';

/** How long the endless sample runs; the other samples end within it even on a busy machine. */
const JOB_TIMEOUT_MS = 5_000;
const SLOTS = 2;

/** The agent of a dry run. */
export type DryRun = { readonly scenario: Scenario; readonly loaded: Loaded; readonly workDir: string };

/** Runs an agent until no run is left, and compares the outcome of each sample with the expected one. */
export async function runAgent(
  context: CliContext,
  dryRun: DryRun,
  interrupted: AbortSignal,
): Promise<readonly OutcomeRow[]> {
  const skipped = new Map<string, SkipReason>();
  const observe = (event: AgentEvent): void => {
    if (event.kind === 'run-skipped') skipped.set(event.run.uuid, event.reason);
  };
  const config = configFor(dryRun, { askPrice: DRY_RUN_ASK, jobTimeout: JOB_TIMEOUT_MS });
  await withAgent(context, { dryRun, config, once: true, observe }, interrupted, ({ agent }) => agent.run());
  interrupted.throwIfAborted();
  return outcomesOf(dryRun.scenario, skipped);
}

/** Opens an agent for `work`, stops it at an interruption, and removes its jobs afterwards. */
export async function withAgent(
  context: CliContext,
  agent: {
    readonly dryRun: DryRun;
    readonly config: Config;
    readonly once: boolean;
    readonly observe?: Observer;
  },
  interrupted: AbortSignal,
  work: (opened: OpenAgent) => Promise<void>,
): Promise<void> {
  const { config, dryRun, once } = agent;
  const { overrides } = dryRun.scenario;
  const log = context.createLog(config);
  const observe: Observer = (event) => {
    overrides.observe?.(event);
    agent.observe?.(event);
  };
  const parts: AppParts = { ...context, log, loaded: { ...dryRun.loaded, config } };
  const onProgress = pullDisplay(context.stderr, context.clock);
  let runtime: Runtime | undefined;
  const between = (ports: Ports): Ports => {
    runtime = ports.runtime;
    return ports;
  };
  const opened = await openAgent(parts, { once, onProgress }, { ...overrides, observe, between });
  const stop = (): void => void opened.agent.stop();
  try {
    interrupted.throwIfAborted();
    interrupted.addEventListener('abort', stop);
    await work(opened);
  } finally {
    interrupted.removeEventListener('abort', stop);
    // Without a job there is nothing to remove, and perhaps no engine to ask.
    if (runtime !== undefined && opened.journal.history(1).length > 0) await removeJobs(runtime, log);
    await opened.close();
  }
}

function outcomesOf(
  { market, samples }: Scenario,
  skipped: ReadonlyMap<string, SkipReason>,
): readonly OutcomeRow[] {
  return samples.map((sample) => {
    const run = market.runs.get(sample.name) ?? '';
    const jobs = market.broker.store
      .jobsOf(run)
      .map(({ cost, result, status }) => ({ status, result, cost: cost ?? 0 }));
    return outcomeOf({ sample, jobs, skipped: skipped.get(run) });
  });
}

/** What the configuration of a dry run is made from. */
type ConfigParts = Pick<DryRun, 'loaded' | 'workDir'> & {
  readonly scenario: Pick<Scenario, 'images' | 'offer'> & {
    readonly market: Pick<Scenario['market'], 'token' | 'url'>;
  };
};

/** The owner's configuration with the broker, prices and directories of the dry run. */
export function configFor(
  { loaded: { config }, scenario, workDir }: ConfigParts,
  own: Pick<Config, 'askPrice' | 'jobTimeout'> & Partial<Config>,
): Config {
  const { images, market, offer } = scenario;
  return {
    ...config,
    brokerUrl: market.url,
    token: new Secret(market.token),
    tokenFile: undefined,
    credentialsDirectory: undefined,
    gpus: [],
    availability: [],
    slotsPerGpu: SLOTS,
    cpuSlots: offer === 'cpu' ? SLOTS : 0,
    images,
    stateDir: join(workDir, 'state'),
    pollInterval: 500,
    jobNetwork: 'none',
    minFreeDisk: 0,
    // What happens to samples is nothing to notify an owner of.
    notifyWebhook: undefined,
    notifyNtfy: undefined,
    notifyCommand: undefined,
    // A demonstration is for people, even in a pipe.
    logFormat: config.logFormat === 'auto' ? 'pretty' : config.logFormat,
    ...own,
  };
}
