import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Config } from '../../config/config.ts';
import type { Connection } from '../../domain/connection.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { followConnections } from '../../host/connections.ts';
import { MARK_MS, type MarkKind } from '../../host/traffic-log/marks.ts';
import { TrafficLogWriter } from '../../host/traffic-log/writer.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { LIMITS } from '../../limits.ts';
import { BRIDGE_NAME } from '../../runtime/docker/network/network-spec.ts';
import type { CliContext } from '../command.ts';
import { Interrupted, listenForInterruption } from '../interruption.ts';

/** How often what was heard is written, in milliseconds; a crash loses at most this. */
const WRITE_MS = 1_000;
const PRUNE_MS = 600_000;
/** How long the jobs' subnet is believed, in milliseconds. */
const SUBNET_MS = 1_000;

/** Writes each new connection of a job to the log until it is interrupted. Throws TRAFFIC_LOG_UNAVAILABLE. */
export async function logConnections(context: CliContext, config: Config): Promise<number> {
  const log = context.createLog(config);
  if (config.jobTrafficLog === 'off') {
    log.info({ event: 'traffic-log-off' }, 'connections of jobs are not logged (--job-traffic-log off)');
    return EXIT.OK;
  }
  const { clock } = context;
  const interruption = listenForInterruption();
  const stop = interruption.first;
  const failures = new OncePerChange();
  using writer = openWriter(config.jobTrafficLogDir);
  let waiting: Connection[] = [];
  const flush = (): void => {
    try {
      writer.write(waiting);
      waiting = [];
      if (failures.forget('write'))
        log.info({ event: 'traffic-log-written' }, 'connections are written again');
    } catch (thrown) {
      const why = asAgentError(thrown).message;
      if (failures.isNew(why, 'write'))
        log.error({ event: 'traffic-log-not-written' }, `connections not written: ${why}`);
      waiting = waiting.slice(-LIMITS.job.waitingConnections.max);
    }
  };
  const mark = (kind: MarkKind): void => {
    try {
      writer.mark({ at: clock.now(), kind });
    } catch (thrown) {
      const message = `the log cannot be marked: ${asAgentError(thrown).message}`;
      if (failures.isNew(message, 'mark')) log.warn({ event: 'traffic-log-not-marked' }, message);
    }
  };
  const prune = (): void => {
    try {
      writer.prune(clock.now());
    } catch (thrown) {
      const message = `old connections not deleted: ${asAgentError(thrown).message}`;
      log.warn({ event: 'traffic-log-prune-failed' }, message);
    }
  };
  prune();
  const marked = setInterval(() => mark('runs'), MARK_MS);
  const timers = [setInterval(flush, WRITE_MS), setInterval(prune, PRUNE_MS), marked];
  mark('begins');
  const isJob = jobAddresses(() => clock.monotonic());
  log.info(
    { event: 'traffic-log-started', directory: config.jobTrafficLogDir },
    'connections of jobs are logged',
  );
  try {
    await followConnections(
      context.path,
      {
        onConnection: (connection) => void (isJob(connection.address) && waiting.push(connection)),
        onLost: () => {
          mark('lost');
          log.warn({ event: 'connections-lost' }, 'some connections were lost, this host is busy');
        },
      },
      stop,
    );
    return stop.reason instanceof Interrupted ? EXIT.OK : EXIT.FAILED;
  } finally {
    for (const timer of timers) clearInterval(timer);
    flush();
    mark('ends');
    interruption.ignore();
  }
}

function openWriter(directory: string): TrafficLogWriter {
  try {
    return new TrafficLogWriter(directory);
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    const message = `the directory ${directory} cannot be created: ${asAgentError(cause).message}`;
    throw new AgentError('TRAFFIC_LOG_UNAVAILABLE', message, {
      hint: 'name another --job-traffic-log-dir',
      cause,
    });
  }
}

/** Whether an address is one of the jobs' bridge, whose subnet may change with the network; not its own address. */
function jobAddresses(now: () => number): (address: string) => boolean {
  let readAt = Number.NEGATIVE_INFINITY;
  let subnet: { readonly list: BlockList; readonly own: string } | undefined;
  return (address) => {
    if (subnet === undefined || now() - readAt >= SUBNET_MS) {
      // The last connections of a job may be heard after its bridge is gone from the list.
      subnet = readSubnet() ?? subnet;
      readAt = now();
    }
    return subnet !== undefined && address !== subnet.own && subnet.list.check(address);
  };
}

/** The bridge is listed while a container is connected to it, so always when a job opens a connection. */
function readSubnet(): { readonly list: BlockList; readonly own: string } | undefined {
  const at = networkInterfaces()[BRIDGE_NAME]?.find(({ family }) => family === 'IPv4');
  const prefix = at?.cidr?.split('/')[1];
  if (at === undefined || prefix === undefined) return undefined;
  const list = new BlockList();
  list.addSubnet(at.address, Number(prefix));
  return { list, own: at.address };
}
