import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AgentProcess } from '../e2e/agent-process.ts';
import { PYTHON } from '../engine/docker.ts';
import type { ChaosEnv } from './chaos-env.ts';
import { COMPILE_ONCE } from './figures.ts';
import { argumentsOf, SOAK_FUNCTION, type SoakEnd, type SoakJob, type SoakPlan } from './soak-plan.ts';

/** So many jobs at least, and so many kills at least. */
export type SoakSize = { readonly jobs: number; readonly kills: number };

/** What happened while it soaked. */
export type Soaked = {
  /** The jobs by their uuid. */
  readonly jobs: ReadonlyMap<string, SoakJob>;
  readonly kills: number;
  readonly stops: number;
  /** Milliseconds from the signal to the end of the process. */
  readonly slowestStopMs: number;
  /** How often an agent adopted a job that another one had claimed. */
  readonly adopted: number;
};

/** Jobs come in runs of so many. */
const JOBS_PER_RUN = 5;
/** So many jobs that nobody has finished are to be on the market. */
const AT_THE_MARKET = 20;
/** Once there were kills enough, agents live longer by this factor: what is left is for the count of jobs. */
const LONGER = 10;
/** After so many agents it is seen how much they got done, and whether the next ones need more time or less. */
const AGENTS_PER_LOOK = 4;
const MORE_TIME = 1.5;

/**
 * Has agents work off jobs, one agent after the other, each ended after a moment; the last one is left alone until
 * all is reported. What they said is kept in the file `log`.
 */
export async function soak(chaos: ChaosEnv, plan: SoakPlan, size: SoakSize, log: string): Promise<Soaked> {
  const jobs = new Map<string, SoakJob>();
  let kills = 0;
  let stops = 0;
  let slowestStopMs = 0;
  let adopted = 0;
  await rm(log, { force: true });
  await mkdir(dirname(log), { recursive: true });
  const keep = async (what: string, said: string): Promise<void> => {
    adopted += said.split('"event":"job-adopted"').length - 1;
    await appendFile(log, `--- ${new Date().toISOString()} ${what}\n${said}`);
  };
  const feed = (): void => {
    while ((jobs.size < size.jobs || kills < size.kills) && unfinished(chaos) < AT_THE_MARKET) {
      const fresh = Array.from({ length: JOBS_PER_RUN }, () => plan.nextJob());
      const uuids = chaos.addRun(PYTHON, SOAK_FUNCTION, `(${fresh.map(argumentsOf).join(', ')},)`);
      for (const [index, job] of fresh.entries()) jobs.set(uuids[index] ?? '', job);
    }
  };
  const pace = new Pace();
  for (feed(); unfinished(chaos) > 0; feed()) {
    const end = plan.nextEnd();
    const factor = pace.factor * (kills < size.kills ? 1 : LONGER);
    const before = unfinished(chaos);
    await using agent = new AgentProcess(['start'], { ...chaos.env, ...COMPILE_ONCE });
    await momentOf({ ...end, afterMs: end.afterMs * factor }, agent);
    if (agent.child.exitCode !== null) throw new Error(`an agent ended by itself:\n${agent.said}`);
    const signalledAt = performance.now();
    agent.signal(end.signal);
    const { code, stderr } = await agent.ended;
    await keep(`${end.signal} ${end.afterMs} ms * ${factor} after ${end.from}`, stderr);
    pace.note(before - unfinished(chaos));
    if (end.signal === 'SIGKILL') kills += 1;
    else {
      stops += 1;
      slowestStopMs = Math.max(slowestStopMs, performance.now() - signalledAt);
      // Before its first word an agent does not listen to signals yet.
      if (code !== 0 && stderr !== '')
        throw new Error(`an agent did not stop in order (${code}):\n${stderr}`);
    }
  }
  await using last = new AgentProcess(['start', '--once'], chaos.env);
  const { code, stderr } = await last.ended;
  await keep('until all is reported', stderr);
  if (code !== 0) throw new Error(`the last agent ended with ${code}:\n${stderr}`);
  return { jobs, kills, stops, slowestStopMs: Math.round(slowestStopMs), adopted };
}

/** Jobs that nobody has reported yet. */
function unfinished(chaos: ChaosEnv): number {
  return chaos.jobs.filter((job) => chaos.reports(job) === 0).length;
}

/** Waits until it is time to end the agent, or until that has ended by itself. */
async function momentOf({ afterMs, from }: SoakEnd, agent: AgentProcess): Promise<void> {
  const ended = new AbortController();
  const over = agent.ended.then(() => ended.abort());
  const firstWord = new Promise<void>((resolve) => agent.child.stderr?.once('data', () => resolve()));
  if (from === 'first-word') await Promise.race([firstWord, over]);
  await pause(afterMs, undefined, { signal: ended.signal }).catch(() => undefined);
}

/** On a machine that is busy with other things an agent may need seconds before it does anything at all. */
class Pace {
  /** What times in the plan are multiplied by; 1 on a machine that has time. */
  factor = 1;
  #agents = 0;
  #jobs = 0;

  /** Takes note of how many jobs were finished while one agent was there. */
  note(jobs: number): void {
    this.#agents += 1;
    this.#jobs += jobs;
    if (this.#agents < AGENTS_PER_LOOK) return;
    if (this.#jobs < AGENTS_PER_LOOK) this.factor *= MORE_TIME;
    else if (this.#jobs > 2 * AGENTS_PER_LOOK) this.factor = Math.max(1, this.factor / MORE_TIME);
    this.#agents = 0;
    this.#jobs = 0;
  }
}
