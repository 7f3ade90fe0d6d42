import { access, constants } from 'node:fs/promises';
import type { Config } from '../../config/config.ts';
import { findConntrack } from '../../host/connections.ts';
import { type CheckResult, ok, warn } from './check-result.ts';

/** What is there of the log of connections. */
export type TrafficLogInspection = {
  readonly directory: string;
  /** Whether the program that hears of connections is installed. */
  readonly conntrack: boolean;
  /** False: the directory is missing, or this user cannot read it. */
  readonly readable: boolean;
};

/** Looks for program and directory; undefined where the log is off. `path` has the form of $PATH. */
export async function inspectTrafficLog(
  { jobTrafficLog, jobTrafficLogDir: directory }: Config,
  path: string,
): Promise<TrafficLogInspection | undefined> {
  if (jobTrafficLog === 'off') return undefined;
  const readable = await access(directory, constants.R_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  return { directory, conntrack: (await findConntrack(path)) !== undefined, readable };
}

/** Whether a job can be found by the connections that it opens. Jobs run all the same. */
export function checkTrafficLog(found: TrafficLogInspection | undefined): readonly CheckResult[] {
  const check = 'traffic log';
  if (found === undefined) return [];
  if (!found.conntrack)
    return [
      warn(check, 'not written: the program conntrack is not installed', 'sudo apt-get install conntrack'),
    ];
  if (!found.readable)
    return [
      warn(
        check,
        `not written, or not readable for this user: ${found.directory}`,
        'sudo systemctl restart sharedcloud-agent-network, then run check as the agent’s user',
      ),
    ];
  return [ok(check, `in ${found.directory}; jobs find reads it`)];
}
