import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type Phase, SIGNALS } from '../../domain/signals.ts';
import { sleep } from '../../lib/sleep.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { Interrupted, listenForInterruption } from '../interruption.ts';
import { checkReadable } from '../readable-state-dir.ts';
import { type AgentInspection, inspectAgent, openJobsIn } from './inspect-agent.ts';
import { isAsked, type Wanted, wantsSignal } from './next-signal.ts';
import { drainJson, endText, progressLine } from './render.ts';

const NOW: Switch = {
  name: 'now',
  help: 'do not wait for running jobs: stop them and release them to the market',
};
const NO_WAIT: Switch = { name: 'no-wait', help: 'request it and return at once' };

const POLL_INTERVAL_MS = 200;
/** An agent that is starting or exiting may be hidden for so many polls. */
const MAX_HIDDEN_POLLS = 10;

/** Signals the agent that runs on the state directory to drain, and waits until it has exited. */
export const drain: CliCommand = {
  name: 'drain',
  summary: 'let the running agent finish its jobs, and wait until it has exited',
  group: 'Run',
  options: ['stateDir', 'configFile'],
  switches: [NOW, NO_WAIT, JSON_SWITCH],
  values: [],
  examples: [
    { line: 'drain', does: 'before an upgrade or a reboot, however long the jobs take' },
    { line: 'drain --now', does: 'within 15 seconds; the jobs are released to the market' },
  ],
  run: async (context) => {
    const { config } = await context.loadConfig({ ask: false });
    await checkReadable(config.stateDir);
    const interruption = listenForInterruption();
    try {
      return await signalAndWait(context, config.stateDir, interruption.first);
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) throw thrown;
      context.stderr.write('no longer waiting; the agent continues\n');
      return thrown.exit;
    } finally {
      interruption.ignore();
    }
  },
};

/** Throws the reason of `signal` when that aborts; AGENT_NOT_RUNNING, AGENT_OUT_OF_REACH. */
async function signalAndWait(context: CliContext, stateDir: string, signal: AbortSignal): Promise<number> {
  const wanted: Wanted = context.has(NOW) ? 'evict' : 'drain';
  const sentIn = new Set<Phase>();
  let pid: number | undefined;
  let hiddenPolls = 0;
  let lastLine = '';
  for (;;) {
    const inspection = inspectAgent(stateDir);
    const { agent } = inspection;
    if (agent.kind === 'none' && pid === undefined) throw notRunning(stateDir);
    // Another process on the same directory: systemd has already started the next agent.
    const isReplaced = agent.kind === 'here' && pid !== undefined && agent.pid !== pid;
    if (agent.kind === 'none' || isReplaced) return printEnd(context, stateDir, inspection);
    hiddenPolls = agent.kind === 'hidden' ? hiddenPolls + 1 : 0;
    if (hiddenPolls > MAX_HIDDEN_POLLS) throw outOfReach(stateDir, inspection);
    if (agent.kind === 'here') {
      pid = agent.pid;
      if (wantsSignal(agent.phase, wanted, sentIn)) {
        send(agent.pid);
        sentIn.add(agent.phase);
      }
      if (context.has(NO_WAIT) && isAsked(agent.phase, wanted, sentIn))
        return printAsked(context, stateDir, inspection);
      const line = progressLine(inspection);
      if (line !== lastLine && !context.has(JSON_SWITCH)) context.stdout.write(line);
      lastLine = line;
    }
    await sleep(POLL_INTERVAL_MS, signal);
    signal.throwIfAborted();
  }
}

function printEnd({ has, stdout }: CliContext, stateDir: string, inspection: AgentInspection): number {
  const open = openJobsIn(stateDir);
  stdout.write(has(JSON_SWITCH) ? drainJson(inspection, open, true) : endText(open, stdout));
  return open.length === 0 ? EXIT.OK : EXIT.FAILED;
}

function printAsked({ has, stdout }: CliContext, stateDir: string, inspection: AgentInspection): number {
  stdout.write(
    has(JSON_SWITCH)
      ? drainJson(inspection, openJobsIn(stateDir), false)
      : `requested; ${progressLine(inspection)}`,
  );
  return EXIT.OK;
}

function send(pid: number): void {
  try {
    process.kill(pid, SIGNALS.drain[0]);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    // It has just exited, which the next poll finds.
    if (code === 'ESRCH') return;
    throw new AgentError('AGENT_OUT_OF_REACH', `this user may not signal the agent (process ${pid})`, {
      hint: 'run this as the agent’s user or as root',
      cause,
    });
  }
}

function outOfReach(stateDir: string, { agent }: AgentInspection): AgentError {
  const pid = agent.kind === 'hidden' && agent.pid !== undefined ? ` (process ${agent.pid})` : '';
  return new AgentError(
    'AGENT_OUT_OF_REACH',
    `an agent${pid} runs on ${stateDir}, but its process is not visible to this user`,
    {
      hint: `run this as the agent’s user or as root; send ${SIGNALS.drain[0]} to an agent in a container with docker kill --signal`,
    },
  );
}

function notRunning(stateDir: string): AgentError {
  const open = openJobsIn(stateDir);
  if (open.length === 0)
    return new AgentError('AGENT_NOT_RUNNING', `no agent runs on ${stateDir}, and no job is unfinished`, {
      hint: 'name the state directory of the agent with --state-dir',
    });
  const jobs = open.map(({ job, state }) => `${job} (${state})`).join(', ');
  return new AgentError('AGENT_NOT_RUNNING', `no agent runs on ${stateDir}; unfinished jobs: ${jobs}`, {
    hint: 'start the agent, which continues them, and then drain it',
  });
}
