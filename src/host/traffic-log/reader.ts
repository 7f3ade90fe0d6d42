import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Connection } from '../../domain/connection.ts';
import { AgentError } from '../../domain/errors.ts';
import { connectionOf, dayOf } from './format.ts';
import { type Gap, gapsOf, MARK_MS, type Mark, markOf } from './marks.ts';
import { segmentsIn } from './writer.ts';

/** What is looked for in the log. Times are milliseconds of the wall clock. */
export type ConnectionQuery = {
  readonly destination: string;
  /** Undefined: any. */
  readonly destinationPort: number | undefined;
  /** The port from which the other side saw it come; undefined: any. */
  readonly outerPort: number | undefined;
  readonly fromMs: number;
  readonly toMs: number;
};

/** What the log has, and since when. */
export type FoundConnections = {
  /** In their order; the first `limit`. */
  readonly connections: readonly Connection[];
  readonly more: boolean;
  /** The first day that the log still has, in UTC; undefined: it is empty. */
  readonly since: string | undefined;
  /** When it was not written, within the times that were asked about: connections may be missing. */
  readonly gaps: readonly Gap[];
};

/** Looks connections up. Throws TRAFFIC_LOG_UNAVAILABLE if there is no log or it cannot be read. */
export async function findConnections(
  directory: string,
  query: ConnectionQuery,
  limit: number,
): Promise<FoundConnections> {
  try {
    const segments = segmentsIn(directory);
    const [from, to] = [dayOf(query.fromMs - 2 * MARK_MS), dayOf(query.toMs)];
    const connections: Connection[] = [];
    const marks: Mark[] = [];
    for (const { day, name } of segments) {
      if (day < from || day > to) continue;
      const lines = createInterface({ input: createReadStream(join(directory, name)) });
      for await (const line of lines) {
        const mark = markOf(line);
        if (mark !== undefined && isNear(mark, query)) marks.push(mark);
        const connection = line.includes(query.destination) ? connectionOf(line) : undefined;
        if (connection !== undefined && matches(connection, query)) connections.push(connection);
        if (connections.length > limit) break;
      }
    }
    return {
      connections: connections.slice(0, limit).toSorted((a, b) => a.at - b.at),
      more: connections.length > limit,
      since: segments[0]?.day,
      gaps: gapsOf(marks, query),
    };
  } catch (cause) {
    throw unreadable(directory, cause);
  }
}

/** Whether a mark says something of these times: the one before them, or after them, does too. */
function isNear({ at }: Mark, { fromMs, toMs }: ConnectionQuery): boolean {
  return at >= fromMs - 2 * MARK_MS && at <= toMs + 2 * MARK_MS;
}

function matches(connection: Connection, query: ConnectionQuery): boolean {
  const { destinationPort, outerPort } = query;
  if (connection.destination !== query.destination) return false;
  if (connection.at < query.fromMs || connection.at > query.toMs) return false;
  if (destinationPort !== undefined && connection.destinationPort !== destinationPort) return false;
  return outerPort === undefined || connection.outerPort === outerPort;
}

function unreadable(directory: string, cause: unknown): AgentError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new AgentError('TRAFFIC_LOG_UNAVAILABLE', `there is no log of connections in ${directory}`, {
      cause,
    });
  const hint = 'run this with sudo, or as the agent’s user';
  return new AgentError('TRAFFIC_LOG_UNAVAILABLE', `the log of connections in ${directory} cannot be read`, {
    hint,
    cause,
  });
}
