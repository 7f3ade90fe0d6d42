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

/** The agent is looked at this often, in milliseconds. */
const EVERY_MS = 200;
/** An agent that begins or ends just now may take so many looks until it can be told which process it is. */
const HIDDEN_LOOKS = 10;

/** Repricer the agent that runs on the state directory to drain, and waits until it has ended. */
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
      return await askAndWait(context, config.stateDir, interruption.first);
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) throw thrown;
      context.stderr.write('not waiting any more; the agent goes on with it\n');
      return thrown.exit;
    } finally {
      interruption.ignore();
    }
  },
};

/** Throws the reason of the signal where that aborts; AGENT_NOT_RUNNING, AGENT_OUT_OF_REACH. */
async function askAndWait(context: CliContext, stateDir: string, signal: AbortSignal): Promise<number> {
  const wanted: Wanted = context.has(NOW) ? 'evict' : 'drain';
  const sentIn = new Set<Phase>();
  let pid: number | undefined;
  let hidden = 0;
  let said = '';
  for (;;) {
    const query = inspectAgent(stateDir);
    const { agent } = query;
    if (agent.kind === 'none' && pid === undefined) throw notRunning(stateDir);
    // Where a service manager has started the next one already, ours has ended all the same.
    const replaced = agent.kind === 'here' && pid !== undefined && agent.pid !== pid;
    if (agent.kind === 'none' || replaced) return tellEnd(context, stateDir, query);
    hidden = agent.kind === 'hidden' ? hidden + 1 : 0;
    if (hidden > HIDDEN_LOOKS) throw outOfReach(stateDir, query);
    if (agent.kind === 'here') {
      pid = agent.pid;
      if (wantsSignal(agent.phase, wanted, sentIn)) {
        send(agent.pid);
        sentIn.add(agent.phase);
      }
      if (context.has(NO_WAIT) && isAsked(agent.phase, wanted, sentIn))
        return tellAsked(context, stateDir, query);
      const line = progressLine(query);
      if (line !== said && !context.has(JSON_SWITCH)) context.stdout.write(line);
      said = line;
    }
    await sleep(EVERY_MS, signal);
    signal.throwIfAborted();
  }
}

function tellEnd(context: CliContext, stateDir: string, query: AgentInspection): number {
  const open = openJobsIn(stateDir);
  context.stdout.write(context.has(JSON_SWITCH) ? drainJson(query, open, true) : endText(open));
  return open.length === 0 ? EXIT.OK : EXIT.FAILED;
}

function tellAsked(context: CliContext, stateDir: string, query: AgentInspection): number {
  const json = context.has(JSON_SWITCH);
  context.stdout.write(
    json ? drainJson(query, openJobsIn(stateDir), false) : `asked, not waited for; ${progressLine(query)}`,
  );
  return EXIT.OK;
}

function send(pid: number): void {
  try {
    process.kill(pid, SIGNALS.drain[0]);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    // It has just ended: the next query tells.
    if (code === 'ESRCH') return;
    throw new AgentError(
      'AGENT_OUT_OF_REACH',
      `the agent (process ${pid}) may not be signalled by this user`,
      { hint: 'run this as the user that the agent runs as, or as root', cause },
    );
  }
}

function outOfReach(stateDir: string, { agent }: AgentInspection): AgentError {
  const named =
    agent.kind === 'hidden' && agent.pid !== undefined ? `; it calls itself process ${agent.pid}` : '';
  return new AgentError(
    'AGENT_OUT_OF_REACH',
    `an agent runs on ${stateDir}, but this user sees no process here that does${named}`,
    {
      hint: `run this as the agent's user or as root; an agent in a container is sent ${SIGNALS.drain[0]} by its engine`,
    },
  );
}

function notRunning(stateDir: string): AgentError {
  const open = openJobsIn(stateDir);
  const left = open.map(({ job, state }) => `${job} (${state})`).join(', ');
  return new AgentError(
    'AGENT_NOT_RUNNING',
    open.length === 0
      ? `no agent runs on ${stateDir}, and no job in its journal is open`
      : `no agent runs on ${stateDir}, and these jobs in its journal are open: ${left}`,
    {
      hint:
        open.length === 0
          ? 'if one runs on another state directory, name that by --state-dir'
          : 'start the agent, so that it goes on with them; then drain it',
    },
  );
}
