import { release } from 'node:os';
import { z } from 'zod';
import type { Loaded } from '../../config/config.ts';
import { describe } from '../../config/describe.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { STATUS } from '../../control-api/status-schema.ts';
import { readPlatform } from '../../host/platform.ts';
import { xidIn } from '../../host/xid-lines.ts';
import { digestJournal } from '../../journal/digest.ts';
import { slimOf, summaryOf } from '../../journal/job-summary.ts';
import { readJournal } from '../../journal/open-journal.ts';
import { askHealth } from '../ask-health.ts';
import { runChecks } from '../check/checks.ts';
import type { Facts } from '../check/collect.ts';
import { checkJson } from '../check/render.ts';
import type { CliContext } from '../command.ts';
import { followAgent } from '../follow-agent.ts';
import { valueOf } from '../query.ts';
import { readStatus } from '../status/command.ts';
import { missing, runTail } from './run-tail.ts';
import { withoutProcesses, withoutProcessName } from './scrub.ts';

const JOBS = 200;
const EVENTS = 1_000;
const LOG_LINES = 5_000;
const HEALTH_MS = 5_000;
const UNITS = ['sharedcloud-agent', 'sharedcloud-agent-network', 'sharedcloud-agent-traffic'];
/** Of the units: no environment, in which secrets may be. */
const UNIT_PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'UnitFileState',
  'Result',
  'NRestarts',
  'ExecMainStartTimestamp',
  'ExecMainExitTimestamp',
  'ExecMainCode',
  'ExecMainStatus',
  'MainPID',
  'MemoryCurrent',
  'CPUUsageNSec',
  'TasksCurrent',
  'FragmentPath',
  'DropInPaths',
  'User',
  'SupplementaryGroups',
  'WatchdogUSec',
];

/** What the parts are made from. */
export type PartDeps = {
  readonly context: CliContext;
  /** The configuration; throws where it is invalid. */
  readonly loaded: () => Loaded;
  /** All that `check` collects; throws where the configuration is invalid. */
  readonly facts: () => Promise<Facts>;
};

/** A file of the bundle. */
export type Part = {
  readonly file: string;
  /** How it is made, for the manifest. */
  readonly how: string;
  /** What is left out of it beside what is left out of all. */
  readonly leftOut?: string;
  /** Whether names of functions may be in it. */
  readonly hasNames?: true;
  readonly ms: number;
  /** Throws what keeps it from being made. */
  make(signal: AbortSignal): Promise<string>;
};

/** Every file of the bundle, in its order. */
export function partsOf({ context, facts, loaded }: PartDeps): readonly Part[] {
  const { clock, version } = context;
  const stateDir = (): string => loaded().config.stateDir;
  return [
    {
      file: 'host.json',
      how: 'version of the agent, Node.js, kernel, hardware, file systems',
      ms: 120_000,
      make: async () => {
        const { fileSystems, host, nodeVersion, toolkit } = await facts();
        const { boot: _, upMs } = clock.bootTime();
        const here = { version, node: nodeVersion, kernel: release(), platform: readPlatform(), upMs };
        return json({
          ...here,
          ...host,
          toolkit: toolkit ?? null,
          fileSystems: valueOf(fileSystems) ?? null,
        });
      },
    },
    {
      file: 'check.json',
      how: '`sharedcloud-agent check --json`',
      ms: 120_000,
      make: async () => checkJson({ results: runChecks(loaded(), await facts()), configuration: [] }),
    },
    {
      file: 'configuration.json',
      how: 'every option with its value and source',
      leftOut: 'the values of secret options, paths of URLs of notifications, credentials of proxies',
      ms: 5_000,
      make: async () => json({ configuration: describe(loaded()), warnings: loaded().warnings }),
    },
    {
      file: 'status.json',
      how: '`sharedcloud-agent status --json`; without a running agent what the journal says',
      hasNames: true,
      ms: 15_000,
      make: async () => json(z.encode(STATUS, await readStatus(context, stateDir()))),
    },
    {
      file: 'health.json',
      how: '`sharedcloud-agent health`',
      ms: 10_000,
      make: async () => json(await askHealth(stateDir(), HEALTH_MS)),
    },
    {
      file: 'events.ndjson',
      how: `the latest ${EVENTS} events of the running agent`,
      hasNames: true,
      ms: 15_000,
      make: (signal) => eventsOf(context, stateDir(), signal),
    },
    {
      file: 'log.txt',
      how: `the latest ${LOG_LINES} lines of the service by journalctl`,
      hasNames: true,
      ms: 20_000,
      make: async (signal) => {
        const args = ['--no-pager', '-o', 'short-iso', '-n', String(LOG_LINES), '-u', 'sharedcloud-agent'];
        const log = await runTail('journalctl', args, signal, withoutProcessName);
        if (log.trim() === '' || /^-- No entries --$/m.test(log))
          throw missing('journalctl shows no lines of the service, or not to this user');
        return log;
      },
    },
    {
      file: 'journal.json',
      how: 'sizes, schema version, integrity and counts of the journal',
      ms: 30_000,
      make: async () => json(digestJournal(stateDir())),
    },
    {
      file: 'jobs.json',
      how: `the latest ${JOBS} jobs of the journal`,
      leftOut: 'what jobs print, answer and are given',
      hasNames: true,
      ms: 20_000,
      make: async () => json(jobsOf(stateDir(), clock.now())),
    },
    {
      file: 'nvidia-smi.txt',
      how: '`nvidia-smi -q`',
      leftOut: 'serial numbers, names of processes',
      ms: 60_000,
      make: async (signal) => withoutProcesses(await runTail(loaded().config.nvidiaSmi, ['-q'], signal)),
    },
    {
      file: 'docker.json',
      how: 'what the agent reads of `docker info` and `docker version`',
      leftOut: 'proxies, registries, labels, the swarm, mirrors',
      ms: 120_000,
      make: async () => {
        const { endpoint, engine } = await facts();
        if ('error' in engine) throw engine.error;
        return json({ host: endpoint?.host ?? null, ...engine.value });
      },
    },
    {
      file: 'kernel.txt',
      how: 'lines of the kernel’s log about the Nvidia driver (NVRM, Xid), by journalctl, else dmesg',
      leftOut: 'names of processes',
      ms: 30_000,
      make: kernelLines,
    },
    {
      file: 'units.txt',
      how: '`systemctl show` of the units of the agent',
      leftOut: 'their environment',
      ms: 10_000,
      make: (signal) =>
        runTail(
          'systemctl',
          ['show', '--no-pager', `--property=${UNIT_PROPERTIES.join()}`, ...UNITS],
          signal,
        ),
    },
  ];
}

/** The names of functions that the journal knows; none where it cannot be read. */
export function functionNames(stateDir: string): readonly string[] {
  try {
    return [...new Set(newestOf(stateDir).map(({ functionName }) => functionName))];
  } catch {
    // Then no other part can name one either, but for the log, whose fields are known.
    return [];
  }
}

function newestOf(stateDir: string) {
  const journal = readJournal(stateDir);
  if (journal === undefined) throw missing(`there is no journal in ${stateDir}`);
  try {
    return journal.history(JOBS);
  } finally {
    journal.close();
  }
}

function jobsOf(stateDir: string, now: number): unknown {
  return newestOf(stateDir).map((job) => summaryOf(slimOf(job), undefined, now));
}

async function eventsOf(context: CliContext, stateDir: string, signal: AbortSignal): Promise<string> {
  const lines: string[] = [];
  const question = { rest: `?limit=${EVENTS}` };
  for await (const event of followAgent(context, stateDir, ENDPOINTS.events, question, signal))
    lines.push(`${JSON.stringify(z.encode(ENDPOINTS.events.answer, event))}\n`);
  return lines.join('');
}

async function kernelLines(signal: AbortSignal): Promise<string> {
  const keep = (line: string): string | undefined =>
    /NVRM|\bSXid\b|nvidia/i.test(line) || xidIn(line) !== undefined ? withoutProcessName(line) : undefined;
  try {
    return await runTail('journalctl', ['-k', '--no-pager', '-o', 'short-iso'], signal, keep);
  } catch (thrown) {
    signal.throwIfAborted();
    // A container may have no journalctl.
    return runTail('dmesg', ['--ctime'], signal, keep).catch(() => {
      throw thrown;
    });
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
