import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LONG } from '../chaos/length.ts';
import { AS_PACKAGED } from '../e2e/as-packaged.ts';
import { openScenario } from '../e2e/scenario.ts';
import { httpServer } from '../faults/server.ts';
import { MemoryCgroup } from './cgroup.ts';
import { type Fuzzer, FuzzingFront, type MadeUp } from './front.ts';
import { hangs } from './fuzzers.ts';
import { HonestJobs } from './honest-jobs.ts';
import { blockedMs, computedMs } from './watch.ts';
import { type AgentEnd, WatchedAgent } from './watched-agent.ts';

/** What a fuzzer may refer to. */
export type Place = {
  /** The file to which jobs that are made up add their names. */
  readonly started: string;
  /** The origin of a server that is not the broker. */
  readonly elsewhere: string;
};

/** What a broker does to its answers. */
export type FuzzPlan = {
  readonly fuzzer: Fuzzer;
  readonly madeUp?: MadeUp;
  /** Whether the agent has been given what it is all about; after so many answers it is by default. */
  readonly isEnough?: () => boolean;
  /** How often a job of its own was given to the agent, by the name that the job adds to the file. */
  readonly claims?: ReadonlyMap<string, number>;
};

export type FuzzOptions = {
  /** Answers are distorted before the agent starts. */
  readonly fromTheStart?: boolean;
  /** The jobs have to be done while answers are distorted. */
  readonly worksMeanwhile?: boolean;
  /** The agent is ended while answers are distorted, once it has run all jobs; another one starts after that. */
  readonly restart?: boolean;
};

/** What was seen of an agent while answers were distorted, after that, and at its end. Times in milliseconds. */
export type Verdict = {
  /** How long its loop computed at most while somebody waited for an answer. */
  readonly computedMs: number;
  /** How long an answer took at most without the time in which others had the processor. */
  readonly blockedMs: number;
  /** The most memory that it held by the kernel, without the cache of files. */
  readonly heldBytes: number;
  /** From SIGTERM to the end of its process; likewise without others' time. */
  readonly endMs: number;
  readonly logBytes: number;
  /** What went wrong with jobs or with the process. */
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
};

/** What the agent may hold; the kernel kills it beyond. */
export const MAX_MEMORY_BYTES = 300e6;

/** The agent lists the jobs that it holds each third of it. */
const LEASE_S = 6;
/** Answers are honest again after so many distorted ones, or so long. */
const FUZZED_ANSWERS = LONG ? 400 : 60;
const FUZZED_MS = LONG ? 15_000 : 4_000;
/** The jobs have to be done so long after that. */
const RECOVERY_MS = 60_000;
/** Or so long after they were put on the market: a huge one takes a busy machine a while. */
const MEANWHILE_MS = 120_000;
/** More polls in a second are a hot loop. */
const MAX_POLLS_PER_S = 15;

/** Has an agent work for a broker whose answers are distorted for a while. */
export async function fuzz(
  seed: number,
  plan: (place: Place) => FuzzPlan,
  { fromTheStart = false, restart = false, worksMeanwhile = false }: FuzzOptions = {},
): Promise<Verdict> {
  await using open = new AsyncDisposableStack();
  const scenario = open.use(
    await openScenario(
      'unix:///nowhere',
      {
        SHAREDCLOUD_CPU_SLOTS: '3',
        SHAREDCLOUD_IMAGES: 'sharedcloud/*',
        ...AS_PACKAGED,
      },
      { leaseSeconds: LEASE_S },
    ),
  );
  const front = open.use(await FuzzingFront.open(scenario.url, seed));
  const elsewhere = open.use(await httpServer((_, response) => response.end('[]')));
  const workDir = join(scenario.directory, 'processes');
  await mkdir(workDir);
  const started = join(scenario.directory, 'started');
  const jobsGroup = open.use(new MemoryCgroup());
  const stateDir = scenario.env.SHAREDCLOUD_STATE_DIR;
  const env = {
    ...scenario.env,
    SHAREDCLOUD_BROKER_URL: front.url,
    WORK_DIR: workDir,
    JOBS_PROCS: jobsGroup.procs,
  };
  const agents: WatchedAgent[] = [];
  const start = (): WatchedAgent => {
    const agent = open.use(new WatchedAgent(env, open.use(new MemoryCgroup(MAX_MEMORY_BYTES))));
    agents.push(agent);
    return agent;
  };
  const until = async (isDone: () => boolean, ms: number): Promise<void> => {
    const late = performance.now() + ms;
    while (!isDone() && !agent.isOver && performance.now() < late) await pause(20);
  };
  const jobs = new HonestJobs(scenario.broker.store, started);
  const { claims, fuzzer, isEnough, madeUp } = plan({ started, elsewhere: elsewhere.url });

  const problems: string[] = [];
  const ends: AgentEnd[] = [];
  jobs.add(2);
  if (fromTheStart) front.begin(fuzzer, madeUp);
  let agent = start();
  if (!fromTheStart) await until(() => jobs.areDone, RECOVERY_MS);

  for (let run = 0; run < 4; run += 1) jobs.add(3);
  const fuzzedSince = performance.now();
  const pollsBefore = front.polls;
  if (!fromTheStart) front.begin(fuzzer, madeUp);
  await until(() => front.distorted > 0, RECOVERY_MS);
  await until(() => front.distorted >= FUZZED_ANSWERS, FUZZED_MS);
  if (isEnough !== undefined) await until(isEnough, MEANWHILE_MS);
  if (worksMeanwhile) {
    await until(() => jobs.areDone, MEANWHILE_MS);
    if (!jobs.areDone) problems.push('not all jobs were done while answers were distorted');
  }
  const pollsPerS = ((front.polls - pollsBefore) / (performance.now() - fuzzedSince)) * 1000;
  if (restart) {
    await until(() => jobs.haveRun(stateDir), RECOVERY_MS);
    ends.push(await agent.terminate());
    agent = start();
  }

  front.stop();
  jobs.exempt(front.lies);
  jobs.add(2);
  const recoveringSince = performance.now();
  await until(() => jobs.areDone && jobs.booksDiffer(stateDir).length === 0, RECOVERY_MS);
  const recoveryMs = performance.now() - recoveringSince;
  problems.push(...jobs.problems());

  let hanging = 0;
  front.begin(
    hangs(fuzzer, () => (hanging += 1)),
    madeUp,
  );
  await until(() => hanging > 0, RECOVERY_MS);
  ends.push(await agent.terminate());
  problems.push(...ends.flatMap(wrongEnd), ...jobs.booksDiffer(stateDir), ...jobs.startedTooOften(claims));
  problems.push(...front.failures.map((thrown) => `the test’s own broker failed: ${String(thrown)}`));
  problems.push(...elsewhere.seen.map(({ url }) => `the agent called another origin: ${url}`));
  if (pollsPerS > MAX_POLLS_PER_S) problems.push(`${Math.round(pollsPerS)} polls a second`);
  const answers = agents.flatMap(({ watch }) => watch.answers);
  // Without an answer nothing of the loop was measured.
  if (answers.length === 0) problems.push('no answer of the agent was recorded');
  return {
    computedMs: Math.max(0, ...answers.map(computedMs)),
    blockedMs: Math.max(0, ...answers.map(blockedMs)),
    heldBytes: Math.max(...agents.map(({ watch }) => watch.heldBytes)),
    endMs: Math.max(0, ...ends.map(({ took }) => (took === undefined ? 0 : blockedMs(took)))),
    logBytes: Math.max(...ends.map(({ log }) => log.length)),
    problems,
    figures: {
      calls: front.calls,
      pollsPerS: Math.round(pollsPerS),
      distorted: front.distorted,
      lies: front.lies.size,
      answers: answers.length,
      jobs: jobs.count,
      exempt: jobs.exempted,
      recoveryMs: Math.round(recoveryMs),
    },
  };
}

/** What is wrong with how an agent ended. */
function wrongEnd({ how, isCrash, log }: AgentEnd): readonly string[] {
  if (!isCrash && how === 0) return [];
  return [`the agent ended with ${how} ${isCrash ? 'by itself' : 'after SIGTERM'}: ${log.slice(-500)}`];
}
