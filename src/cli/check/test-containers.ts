import { join } from 'node:path';
import PQueue from 'p-queue';
import { runTestContainer, type TestContainerDeps } from '../../agent/jobs/test-container.ts';
import { jobResources } from '../../compose.ts';
import { openDocker } from '../../compose-docker.ts';
import type { Loaded } from '../../config/config.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { networkWithoutVerification } from '../../domain/jobs-network.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobResources } from '../../domain/ports/runtime.ts';
import { JobFolders } from '../../function/job-files.ts';
import type { Log } from '../../lib/log.ts';
import { CHECK_AGENT_ID } from '../../runtime/docker/container/spec.ts';
import { type QueryLimits, type QueryResult, query } from '../query.ts';
import { openCheckDirectory } from './check-directory.ts';

/** How one test container ended: whether there was one to run, or why it failed. */
export type ContainerTest = QueryResult<boolean>;

/** The test containers of `check`; those with a GPU by the uuid of the GPU or MIG slice. */
export type ContainerTests = {
  readonly plain: ContainerTest;
  /** Empty where `plain` has failed. */
  readonly gpus: ReadonlyMap<string, ContainerTest>;
};

/** Containers with a GPU at once. */
const CONCURRENT = 4;
const DEADLINE_MS = 15_000;
/** A test container takes so many calls to the engine, one after the other. */
const CALLS = 14;
const HINT = 'see Docker’s log (journalctl -u docker), then restart it: sudo systemctl restart docker';
/** Longer than a test container may take with its removal: `check` leaves none behind. */
const LIMITS: QueryLimits = { ms: 30_000, code: 'RUNTIME_FAILED', who: 'the test container', hint: HINT };
const GPU_LIMITS: QueryLimits = { ...LIMITS, ms: 60_000 };

type Context = {
  readonly loaded: Loaded;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a call to the engine takes, in milliseconds: a slow engine gets more time. */
  readonly callMs: number;
};

/** Runs a container as jobs have it, then one with each healthy GPU and MIG slice. Never throws. */
export async function testContainers(
  context: Context,
  gpus: Promise<readonly Gpu[]>,
): Promise<ContainerTests> {
  const plain = await testContainer(context, LIMITS, null);
  const tests = new Map<string, ContainerTest>();
  if ('error' in plain || !plain.value) return { plain, gpus: tests };
  const queue = new PQueue({ concurrency: CONCURRENT });
  const uuids = (await gpus).filter(({ fault }) => fault === undefined).flatMap(uuidsOf);
  await queue.addAll(
    uuids.map((uuid) => async () => void tests.set(uuid, await testContainer(context, GPU_LIMITS, uuid))),
  );
  return { plain, gpus: tests };
}

/** What jobs get of a GPU: all of it, or one of its slices. */
export function uuidsOf({ migMode, slices, uuid }: Gpu): readonly string[] {
  return migMode ? slices.map((slice) => slice.uuid) : [uuid];
}

function testContainer(context: Context, limits: QueryLimits, gpu: string | null): Promise<ContainerTest> {
  const { callMs, clock, loaded, log } = context;
  const slowMs = CALLS * callMs;
  return query({ ...limits, ms: limits.ms + slowMs }, async (signal) => {
    await using directory = await openCheckDirectory(loaded.config.stateDir);
    const deps: TestContainerDeps = {
      runtime: openDocker({ loaded, clock }, CHECK_AGENT_ID, () => undefined),
      files: new JobFolders(join(directory.path, 'jobs')),
      clock,
      log,
      random: Math.random,
      resources: (): JobResources => jobResources(loaded.config, 1),
      detach: signal,
      network: networkWithoutVerification(loaded.config.jobNetwork),
      deadlineMs: DEADLINE_MS + Math.round(slowMs),
    };
    // The directory has to stay until then.
    return await runTestContainer(deps, gpu, signal);
  });
}
