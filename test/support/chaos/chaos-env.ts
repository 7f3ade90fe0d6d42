import { join } from 'node:path';
import type { JobRecord } from '../../../src/domain/job.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { addRun, openScenario } from '../e2e/scenario.ts';
import type { TestEngine } from '../engine/docker.ts';
import { removeContainer } from '../engine/remove-container.ts';
import { type Fault, HttpProxy, isClaim } from '../faults/http-proxy.ts';
import { EngineWatch } from './engine-watch.ts';

/** Longer than there is no agent here, also on a slow machine: a job whose lease ends may rightly start elsewhere. */
const LONG_LEASE = 3_600;

/** All that outlives one agent after the other, with the books that are kept on them from outside. */
export type ChaosEnv = Awaited<ReturnType<typeof openChaosEnv>>;

/** Opens a watch on the engine, a broker with or without a proxy before it, and a state directory. */
export async function openChaosEnv(
  engine: TestEngine,
  settings: Readonly<Record<string, string>>,
  options: { readonly leaseSeconds?: number; readonly direct?: boolean } = {},
) {
  await using open = new AsyncDisposableStack();
  const watch = open.use(await EngineWatch.open(engine));
  const scenario = open.use(
    await openScenario(engine.host, settings, { leaseSeconds: LONG_LEASE, ...options }),
  );
  const proxy = open.use(await HttpProxy.open(scenario.url));
  const url = options.direct ? scenario.url : proxy.url;
  const { store } = scenario.broker;
  const runs = new Map<string, string>();
  const reports = new Map<string, number>();
  const claims = new Map<string, number>();
  store.onEvent((event) => {
    if (event.kind === 'reported') count(reports, event.job.uuid);
    if (event.kind === 'claimed') count(claims, event.job.uuid);
  });
  // Where a test has failed, others are not to find its containers.
  open.defer(async () => {
    for (const id of watch.leftOf([...runs.keys()])) await removeContainer(engine.docker, id);
  });
  const kept = open.move();
  return {
    engine,
    watch,
    store,
    /** Where the agents keep what they must not forget. */
    stateDir: join(scenario.directory, 'state'),
    /** Has claims answered otherwise from now on; undefined: by the broker. Not for a broker reached directly. */
    setClaimFault: (fault: Fault | undefined): void => {
      proxy.plan = (call) => (isClaim(call) ? fault : undefined);
    },
    /** The agents'. */
    env: { ...scenario.env, SHAREDCLOUD_BROKER_URL: url },
    /** Every job that was put on the market. */
    get jobs(): readonly string[] {
      return [...runs.keys()];
    },
    /** Puts a run on the market; answers the uuids of its jobs. */
    addRun: (image: string, code: string, parameters: string): readonly string[] => {
      const run = addRun(scenario.broker, image, code, parameters);
      const jobs = store.jobsOf(run).map(({ uuid }) => uuid);
      for (const job of jobs) runs.set(job, run);
      return jobs;
    },
    /** Deletes the job's run, in whatever state it is. */
    deleteRunOf: (job: string): void => store.deleteRun(runs.get(job) ?? '', { evenInProgress: true }),
    /** How often the broker has taken a report of the job. */
    reports: (job: string): number => reports.get(job) ?? 0,
    /** How often the broker has given the job to an agent. */
    claims: (job: string): number => claims.get(job) ?? 0,
    /** What the journal says, jobs newest first, and the ledger’s micro-dollars; only while no agent is at it. */
    readJournal: (): {
      readonly agentId: string;
      readonly jobs: readonly JobRecord[];
      readonly confirmed: number;
    } => {
      const stateDir = openStateDir(join(scenario.directory, 'state'));
      const journal = openJournal(stateDir, url, systemClock);
      try {
        const confirmed = journal.bookedJobs.total();
        return { agentId: journal.agentId, jobs: journal.history(100_000), confirmed };
      } finally {
        journal.close();
        stateDir.close();
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function count(times: Map<string, number>, what: string): void {
  times.set(what, (times.get(what) ?? 0) + 1);
}
