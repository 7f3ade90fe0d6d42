import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { addRun, openScenario } from '../e2e/scenario.ts';
import { PYTHON, type TestEngine } from '../engine/find-engine.ts';
import { TWO_T4 } from '../nvidia-smi/machines.ts';
import { standIn } from '../nvidia-smi/stand-in.ts';
import { attempt } from './attempt.ts';
import { SlurmCluster } from './cluster.ts';

/** A job that has to be killed. */
const FOR_EVER = `import signal, time
def handler(event):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)
`;
const HELD = z.object({
  targets: z.array(z.object({ hold: z.object({ why: z.string() }).nullable() })),
});

/** A job of the owner's own, under Slurm. */
export type OwnersJob = {
  /** Resolves when its script runs. */
  readonly started: Promise<void>;
  /** Lets it end, and waits until it has. */
  readonly end: () => Promise<void>;
};

/**
 * A Slurm cluster. Node `a` has two GPUs, node `both` lends Slurm only the second of the same two, and both belong to one
 * agent, which has a job of a stranger on each GPU; node `b` has a GPU and no agent.
 */
export async function openRentedCluster(engine: TestEngine, entry = 'src/main.ts') {
  await using opened = new AsyncDisposableStack();
  const smi = opened.use(await standIn(TWO_T4, { quick: true }));
  const scenario = opened.use(await openScenario(engine.host, { SHAREDCLOUD_NVIDIA_SMI: smi.program }));
  const { broker, directory, env } = scenario;
  const command = join(directory, 'sharedcloud-agent');
  const exports = Object.entries(env).map(([name, value]) => `export ${name}='${value}'\n`);
  const program = `cd '${process.cwd()}' && exec '${process.execPath}' ${entry} "$@"\n`;
  await writeFile(command, `#!/bin/sh\n${exports.join('')}${program}`, { mode: 0o755 });
  const cluster = opened.use(
    await SlurmCluster.start({
      a: { gpus: [0, 1], agent: command },
      second: { gpus: [1], agent: command },
      b: { gpus: [0] },
    }),
  );
  const agents = opened.use(new AsyncDisposableStack());
  const startAgent = async (): Promise<AgentProcess> => {
    const agent = agents.use(new AgentProcess(['start'], env, entry));
    await agent.untilLogged({ event: 'offer-registered' });
    return agent;
  };
  const agent = await startAgent();
  const addStranger = (): string => addRun(broker, PYTHON, FOR_EVER, '((),)', true);
  let runs = [addStranger(), addStranger()];
  const countOf = (wanted: number): number =>
    runs.filter((run) => broker.store.jobsOf(run)[0]?.status === wanted).length;
  /** The agent's command line, as root on the node. */
  const give = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(command, words)).stdout;
  let jobs = 0;
  const kept = opened.move();
  return {
    cluster,
    agent,
    startAgent,
    give,
    /** Of the two jobs of strangers, how many run and how many are on the market. */
    strangers: (): { readonly running: number; readonly open: number } => ({
      running: countOf(JOB_STATUS.IN_PROGRESS),
      open: countOf(JOB_STATUS.CREATED),
    }),
    /** Waits until both GPUs are sold, to others than those who were evicted: their jobs would wait for a while. */
    sold: async (): Promise<void> => {
      runs = runs.map((run) => {
        if (broker.store.jobsOf(run)[0]?.status === JOB_STATUS.IN_PROGRESS) return run;
        broker.store.market.delete(run, true);
        return addStranger();
      });
      await attempt(() => {
        if (countOf(JOB_STATUS.IN_PROGRESS) !== 2) throw new Error('not both GPUs are sold');
      });
    },
    /** Why each of the two GPUs takes no jobs; null: it does. */
    held: async (): Promise<readonly (string | null)[]> => {
      // Changes nothing: nothing has this tag.
      const answer = HELD.parse(JSON.parse(await give('resume', '--tag', 'nothing', '--json', '0', '1')));
      return answer.targets.map(({ hold }) => hold?.why ?? null);
    },
    /** Starts a job of the owner's on a node, which runs until `end`. */
    submit: (node: string, ...flags: readonly string[]): OwnersJob => {
      jobs += 1;
      const name = join(directory, `owners-${jobs}`);
      const script = `: >${name}.started; until test -e ${name}.end; do sleep 0.05; done`;
      const srun = cluster.spawn('srun', `--nodelist=${node}`, ...flags, 'sh', '-c', script);
      let isOver = false;
      const ended = once(srun, 'close').then(([code]: readonly unknown[]) => {
        isOver = true;
        return code;
      });
      const hasStarted = (): boolean => existsSync(`${name}.started`);
      const starts = async (): Promise<void> => {
        await attempt(() => {
          if (!hasStarted() && !isOver) throw new Error('the owner’s job has not started');
        });
        if (!hasStarted()) throw new Error(`srun has ended: ${await cluster.errors(node)}`);
      };
      return {
        started: starts(),
        end: async () => {
          await writeFile(`${name}.end`, '');
          if ((await ended) !== 0) throw new Error('srun failed');
        },
      };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
