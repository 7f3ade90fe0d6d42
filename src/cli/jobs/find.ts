import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { duration } from '../../config/duration.ts';
import { tcpPort } from '../../config/number-types.ts';
import { BadValue, quoted, single, type ValueType } from '../../config/value-type.ts';
import type { Connection } from '../../domain/connection.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { JobRecord } from '../../domain/job.ts';
import type { NetworkUse } from '../../domain/network-use.ts';
import { type FoundConnections, findConnections } from '../../host/traffic-log/reader.ts';
import type { JournalReader } from '../../journal/open-journal.ts';
import type { CliContext, ValueFlag } from '../command.ts';
import { type Instant, instant } from './instant.ts';

/** How many connections are answered; a scan has thousands to one destination. */
const MAX_CONNECTIONS = 1_000;
/** A connection may be heard of shortly after the end of its container, or before the journal has its start. */
const SLACK_MS = 2_000;

const ADDRESS = z.ipv4();

const destination: ValueType<string> = single({
  metavar: 'ADDRESS',
  parse: (text) => {
    const hint = 'write the IPv4 address that a job connected to, such as 203.0.113.10';
    if (text === '') throw new BadValue('is missing', hint);
    if (!ADDRESS.safeParse(text).success) throw new BadValue(`${quoted(text)} is not an IPv4 address`, hint);
    return text;
  },
});

const anyPort: ValueType<number | undefined> = single({
  metavar: 'PORT',
  parse: (text) => (text === '' ? undefined : tcpPort.read([text])),
});

const action = 'find';
export const DESTINATION: ValueFlag<string> = {
  name: 'destination',
  help: 'the IPv4 address that was connected to; required by `find`',
  type: destination,
  default: '',
  action,
};
export const PORT: ValueFlag<number | undefined> = {
  name: 'port',
  help: 'the port that was connected to; by default any',
  type: anyPort,
  default: '',
  action,
};
export const SOURCE_PORT: ValueFlag<number | undefined> = {
  name: 'source-port',
  help: 'the port of this host’s public address from which it came; by default any',
  type: anyPort,
  default: '',
  action,
};
export const AT: ValueFlag<Instant> = {
  name: 'at',
  help: 'the time by ISO 8601; UTC if it names no zone; required by `find`',
  type: instant,
  default: '',
  action,
};
export const WITHIN: ValueFlag<number> = {
  name: 'within',
  help: 'how far the connection’s beginning may be from that time, in both directions',
  type: duration('1s', '31d'),
  default: '5m',
  action,
};

/** What was looked for, and which jobs it was. */
export type FindResult = {
  readonly destination: string;
  readonly port: number | undefined;
  readonly sourcePort: number | undefined;
  readonly at: Instant;
  readonly withinMs: number;
  readonly log: Pick<FoundConnections, 'gaps' | 'more' | 'since'>;
  readonly connections: readonly FoundConnection[];
};

/** A connection and the containers that had its address then; more than one only within a second or two of a change. */
export type FoundConnection = { readonly connection: Connection; readonly jobs: readonly FoundJob[] };
/** `record` is undefined where the journal has forgotten the job. */
export type FoundJob = {
  readonly use: NetworkUse;
  readonly record: JobRecord | undefined;
  /** False: it had the address only shortly before or after, or others had it, too, or its address is not known. */
  readonly certain: boolean;
};

/** What is looked for. */
export type Question = Pick<FindResult, 'at' | 'destination' | 'port' | 'sourcePort' | 'withinMs'>;

/** Reads the question from the command line. Throws CONFIG_INVALID. */
export function readQuestion(context: Pick<CliContext, 'valueOf'>): Question {
  return {
    destination: context.valueOf(DESTINATION),
    port: context.valueOf(PORT),
    sourcePort: context.valueOf(SOURCE_PORT),
    at: context.valueOf(AT),
    withinMs: context.valueOf(WITHIN),
  };
}

/** Answers the question from log and journal. Throws TRAFFIC_LOG_UNAVAILABLE. */
export async function findJobs(
  question: Question,
  config: Config,
  journal: JournalReader,
): Promise<FindResult> {
  const { at, withinMs } = question;
  const query = {
    destination: question.destination,
    destinationPort: question.port,
    outerPort: question.sourcePort,
    fromMs: at.ms - withinMs,
    toMs: at.ms + withinMs,
  };
  const found = await findConnections(config.jobTrafficLogDir, query, MAX_CONNECTIONS).catch(
    (thrown: unknown) => {
      throw config.jobTrafficLog === 'off' ? offError(thrown) : thrown;
    },
  );
  return {
    ...question,
    log: found,
    connections: found.connections.map((connection) => ({ connection, jobs: jobsOf(connection, journal) })),
  };
}

/** The jobs that had the connection's address when it began. Pure but for the journal. */
function jobsOf(
  { address, at }: Connection,
  journal: Pick<JournalReader, 'get' | 'networkUsesAt'>,
): readonly FoundJob[] {
  const exact = journal.networkUsesAt(address, at, at);
  const near = (of: string | null) => journal.networkUsesAt(of, at - SLACK_MS, at + SLACK_MS);
  const known = exact.length > 0 ? exact : near(address);
  // A job without a network is known to have sent nothing.
  const uses = known.length > 0 ? known : near(null).filter(({ traffic }) => traffic?.sentBytes !== 0);
  return uses.map((use) => ({ use, record: journal.get(use.job), certain: exact.length === 1 }));
}

function offError(thrown: unknown): AgentError {
  const { code, message } = asAgentError(thrown);
  return new AgentError(code, `${message}: --job-traffic-log is off`, {
    hint: 'set job-traffic-log = "on" in the configuration file, then: sudo systemctl restart sharedcloud-agent-network',
    cause: thrown,
  });
}
