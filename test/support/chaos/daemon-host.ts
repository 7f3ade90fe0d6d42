import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { JobRecord, JobStateName } from '../../../src/domain/job.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { type JournalReader, readJournal } from '../../../src/journal/open-journal.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { addRun, openScenario } from '../e2e/scenario.ts';
import { PYTHON, type TestEngine } from '../engine/docker.ts';
import { removeContainer } from '../engine/remove-container.ts';
import { expectWithin } from './daemon.ts';

/** Sleeps for so many seconds, and returns the number. */
export const SLEEP = 'import time\ndef handler(event):\n    time.sleep(event[0])\n    return event[0]\n';

/** Runs until `finish`, and returns its number. */
export const UNTIL_FINISHED =
  'import os, time\ndef handler(event):\n' +
  "    while not os.path.exists('/tmp/end'):\n        time.sleep(0.05)\n    return event[0]\n";

/** As SLEEP, but SIGTERM does not end it. */
export const STUBBORN = `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${SLEEP}`;

/** A host with a state directory and a broker, on which daemons come and go; what they leave is removed in the end. */
export type DaemonHost = Awaited<ReturnType<typeof openDaemonHost>>;

/** Opens such a host; `settings` are environment variables of its daemons. */
export async function openDaemonHost(
  engine: TestEngine,
  settings: Readonly<Record<string, string>> = {},
  options: { readonly leaseSeconds?: number; readonly token?: string } = {},
) {
  const scenario = await openScenario(engine.host, { SHAREDCLOUD_CPU_SLOTS: '2', ...settings }, options);
  const { store } = scenario.broker;
  const stateDir = join(scenario.directory, 'state');
  const reports: { readonly job: string; readonly at: number }[] = [];
  store.onEvent((event) => {
    if (event.kind === 'reported') reports.push({ job: event.job.uuid, at: performance.now() });
  });
  const inspect = <T>(none: T, read: (journal: JournalReader) => T): T => {
    const journal = readJournal(stateDir);
    if (journal === undefined) return none;
    try {
      return read(journal);
    } finally {
      journal.close();
    }
  };
  let agentId: string | undefined;
  const containers = async () => {
    agentId ??= inspect(undefined, (journal) => journal.agentId);
    if (agentId === undefined) return [];
    const label = [`sharedcloud.agent=${agentId}`];
    return engine.docker.listContainers({ all: true, filters: JSON.stringify({ label }) });
  };
  const containerOf = async (job: string) => {
    const label = [`sharedcloud.job=${job}`];
    const [found] = await engine.docker.listContainers({ filters: JSON.stringify({ label }) });
    if (found === undefined) throw new Error(`no container of job ${job} runs`);
    return engine.docker.getContainer(found.Id);
  };
  return {
    engine,
    store,
    stateDir,
    /** The broker's own address, whatever stands before it. */
    url: scenario.url,
    directory: scenario.directory,
    env: scenario.env,
    /** The reports that the broker took, and when. */
    reports,
    start: (more: Readonly<Record<string, string>> = {}, through: readonly string[] = []): AgentProcess =>
      new AgentProcess(['start'], { ...scenario.env, ...more }, undefined, through),
    /** Runs a command beside the daemon. */
    command: (...argv: readonly string[]): AgentProcess => new AgentProcess(argv, scenario.env),
    /** Puts a run on the market, with a job for each of these numbers; answers its uuid. */
    addRun: (code: string, ...events: readonly number[]): string =>
      addRun(scenario.broker, PYTHON, code, `(${events.map((event) => `(${event},),`).join('')})`),
    jobsOf: (run: string): readonly JobRow[] => store.jobsOf(run),
    /** All that the journal knows, newest first. */
    records: (): readonly JobRecord[] => inspect([], (journal) => journal.history(1_000)),
    containers,
    /** The container of a job that runs. */
    containerOf,
    /** Has a job of UNTIL_FINISHED end. */
    finish: async (job: string): Promise<void> => {
      const exec = await (await containerOf(job)).exec({ Cmd: ['touch', '/tmp/end'] });
      await exec.start({ Detach: true });
    },
    /** Waits until so many jobs are in this state by the journal. */
    untilIn: (state: JobStateName, count: number, timeout = 60_000): Promise<void> =>
      vi.waitFor(() => expect(inspect([], (journal) => journal.inState(state))).toHaveLength(count), {
        timeout,
        interval: 50,
      }),
    [Symbol.asyncDispose]: async () => {
      for (const { Id } of await containers()) await removeContainer(engine.docker, Id);
      await scenario[Symbol.asyncDispose]();
    },
  };
}

/** Signals a process, which must end within a second; answers its exit code. */
export async function endBySignal(agent: AgentProcess, signal: NodeJS.Signals): Promise<number | null> {
  const began = performance.now();
  agent.signal(signal);
  const { code } = await agent.ended;
  expectWithin(began, 1_000);
  return code;
}
