import { z } from 'zod';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { JobRow } from '../../../src/embedded/broker/store/rows.ts';
import { PYTHON, type TestEngine } from '../engine/docker.ts';
import { removeContainer } from '../engine/remove-container.ts';
import { journalctlStandIn } from '../journalctl/stand-in.ts';
import type { Machine } from '../nvidia-smi/machine.ts';
import { changed, TWO_T4 } from '../nvidia-smi/machines.ts';
import { standIn } from '../nvidia-smi/stand-in.ts';
import { AgentProcess, type Ended } from './agent-process.ts';
import { GpuMemory } from './gpu-memory.ts';
import { addRun, openScenario } from './scenario.ts';
import { eventually } from './two-gpus.ts';

/** Two GPUs of one model, whose minor numbers are not their indexes. */
const CROSSED = changed(changed(TWO_T4, 0, { minor: '1' }), 1, { minor: '0' });

/** The answer of an owner's command with --json. */
const ANSWER = z.object({
  agentRunning: z.boolean(),
  changed: z.boolean(),
  targets: z.array(
    z.object({
      target: z.string(),
      name: z.string(),
      hold: z.object({ kind: z.string(), why: z.string() }).nullable(),
    }),
  ),
  jobs: z.array(z.object({ job: z.string() })).optional(),
  gpus: z
    .array(
      z.object({ gpu: z.string(), state: z.string(), processes: z.array(z.object({ pid: z.number() })) }),
    )
    .optional(),
});

/** Goes on until it is killed: SIGTERM is not for it. */
export const STUBBORN = `
import signal, time

def handler(event):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)
`;

/**
 * A host with two GPUs whose memory follows the jobs, and an owner who gives commands to it. Its broker, state directory
 * and engine are real; agents are started by the test.
 */
export async function openOwnerHost(
  engine: TestEngine,
  {
    entry = 'src/main.ts',
    heldMs = 0,
    machine = CROSSED,
    settings = {},
  }: {
    /** The agent's entry, relative to the repository. */
    readonly entry?: string;
    /** How long the memory of a job stays in use after its end. */
    readonly heldMs?: number;
    readonly machine?: Machine;
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
) {
  await using opened = new AsyncDisposableStack();
  const smi = opened.use(await standIn(machine, { quick: true }));
  const kernel = opened.use(await journalctlStandIn());
  const scenario = opened.use(
    await openScenario(engine.host, {
      PATH: `${kernel.directory}:${process.env['PATH'] ?? ''}`,
      SHAREDCLOUD_NVIDIA_SMI: smi.program,
      ...settings,
    }),
  );
  const { store } = scenario.broker;
  const isMine = (job: string): boolean => store.job(job) !== undefined;
  const memory = opened.use(await GpuMemory.follow(engine, { smi, machine, heldMs, isMine }));
  // What a killed agent leaves runs on.
  opened.defer(async () => {
    const filters = JSON.stringify({ label: ['sharedcloud.job'] });
    for (const { Id, Labels } of await engine.docker.listContainers({ all: true, filters }))
      if (isMine(Labels['sharedcloud.job'] ?? '')) await removeContainer(engine.docker, Id);
  });
  const claims: string[] = [];
  const reports: string[] = [];
  store.onEvent((event) => {
    if (event.kind === 'claimed') claims.push(event.job.uuid);
    if (event.kind === 'reported') reports.push(event.job.uuid);
  });
  const run = (argv: readonly string[], through: readonly string[] = []): AgentProcess =>
    new AgentProcess(argv, scenario.env, entry, through);
  const kept = opened.move();
  return {
    scenario,
    store,
    memory,
    claims,
    reports,
    /** Starts an agent, and waits until it has recovered. */
    start: async (): Promise<AgentProcess> => {
      const agent = run(['start']);
      await agent.untilLogged({ event: 'recovery-completed' });
      return agent;
    },
    /** Carries out a command of the owner. */
    command: async (...argv: readonly string[]): Promise<Ended> => run(argv).ended,
    /** Carries out a command and reads its answer; `code` is its exit code. */
    json: async (...argv: readonly string[]) => {
      const { code, stderr, stdout } = await run([...argv, '--json']).ended;
      try {
        return { code, ...ANSWER.parse(JSON.parse(stdout)) };
      } catch (cause) {
        throw new Error(`no answer of ${argv.join(' ')}, exit code ${code}: ${stdout}${stderr}`, { cause });
      }
    },
    addRun: (code: string, jobs: number): string =>
      addRun(scenario.broker, PYTHON, code, `(${'(),'.repeat(jobs)})`, true),
    jobsOf: (run: string): readonly JobRow[] => store.jobsOf(run),
    /** How many jobs at once the market knows of each offer that is on it. */
    offered: (): readonly number[] =>
      store.instances
        .all()
        .filter(({ available }) => available)
        .map(({ maxNumParallelJobs }) => maxNumParallelJobs)
        .sort(),
    /** Waits until so many jobs of a run are in progress. */
    untilRunning: (run: string, count: number): Promise<void> =>
      eventually(() => {
        const running = store.jobsOf(run).filter(({ status }) => status === JOB_STATUS.IN_PROGRESS).length;
        if (running !== count) throw new Error(`${running} jobs are in progress instead of ${count}`);
      }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
