import { join } from 'node:path';
import type { AgentEvent } from '../../agent/events/events.ts';
import { type AppParts, openAgent, type Ports } from '../../compose.ts';
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

/** Runs an agent until no run is left, and compares the outcome of each sample with the expected one. */
export async function runAgent(
  context: CliContext,
  dryRun: { readonly scenario: Scenario; readonly loaded: Loaded; readonly workDir: string },
  interrupted: AbortSignal,
): Promise<readonly OutcomeRow[]> {
  const { loaded, scenario, workDir } = dryRun;
  const config = configFor(scenario, loaded.config, join(workDir, 'state'));
  const log = context.createLog(config);
  const skipped = new Map<string, SkipReason>();
  const observe = (event: AgentEvent): void => {
    if (event.kind === 'run-skipped') skipped.set(event.run.uuid, event.reason);
  };
  const parts: AppParts = { ...context, log, loaded: { ...loaded, config } };
  const onProgress = pullDisplay(context.stderr, context.clock);
  let runtime: Runtime | undefined;
  const between = (ports: Ports): Ports => {
    runtime = ports.runtime;
    return ports;
  };
  const overrides = { ...scenario.overrides, observe, between };
  const opened = await openAgent(parts, { once: true, onProgress }, overrides);
  const stop = (): void => void opened.agent.stop();
  try {
    interrupted.throwIfAborted();
    interrupted.addEventListener('abort', stop);
    await opened.agent.run();
  } finally {
    interrupted.removeEventListener('abort', stop);
    // Without a job there is nothing to remove, and perhaps no engine to ask.
    if (runtime !== undefined && opened.journal.history(1).length > 0) await removeJobs(runtime, log);
    await opened.close();
  }
  interrupted.throwIfAborted();
  return outcomesOf(scenario, skipped);
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

/** The owner's configuration with the broker, prices and directories of the dry run. */
function configFor({ images, market, offer }: Scenario, config: Config, stateDir: string): Config {
  return {
    ...config,
    brokerUrl: market.url,
    token: new Secret(market.token),
    tokenFile: undefined,
    credentialsDirectory: undefined,
    askPrice: DRY_RUN_ASK,
    gpus: [],
    availability: [],
    slotsPerGpu: SLOTS,
    cpuSlots: offer === 'cpu' ? SLOTS : 0,
    images,
    stateDir,
    pollInterval: 500,
    jobTimeout: JOB_TIMEOUT_MS,
    jobNetwork: 'none',
    minFreeDisk: 0,
    // A demonstration is for people, even in a pipe.
    logFormat: config.logFormat === 'auto' ? 'pretty' : config.logFormat,
  };
}
