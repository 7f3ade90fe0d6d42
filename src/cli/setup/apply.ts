import { stat } from 'node:fs/promises';
import { dockerEndpoint, lineLimits } from '../../compose-docker.ts';
import type { Loaded } from '../../config/config.ts';
import { AgentError } from '../../domain/errors.ts';
import { runProgram } from '../../lib/process.ts';
import { replaceFile } from '../../lib/replace-file.ts';
import { Nft } from '../../runtime/docker/network/nft.ts';
import type { CliContext } from '../command.ts';
import { readConfigText } from '../config-text.ts';
import { requireLocalEngine } from '../network/command.ts';
import { up } from '../network/parts.ts';
import { type FilePlan, hasSecrets } from './changes.ts';

export const UNIT = 'sharedcloud-agent.service';

/** The service starts when recovery is over; Docker may take long. */
const START_MS = 180_000;
const ASK_MS = 10_000;
const SERVICE_GROUP = 'sharedcloud-agent';

/** Writes the configuration file, and the old one beside it. Returns the name of that; undefined: there was none. Throws CONFIG_INVALID. */
export async function writeConfig(plan: FilePlan, now: Date, uid: number): Promise<string | undefined> {
  const { after, before, path } = plan;
  if ((await readConfigText(path, uid)) !== before)
    throw new AgentError(
      'CONFIG_INVALID',
      `${path} was changed by somebody else meanwhile, and left as it is`,
      {
        hint: 'run sharedcloud-agent setup again',
      },
    );
  try {
    const found = before === undefined ? undefined : await stat(path);
    const backup =
      before === undefined || before.trim() === '' ? undefined : await backUp(path, before, now, found?.mode);
    await replaceFile(path, after, await termsOf(plan, found?.mode));
    return backup;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('CONFIG_INVALID', `the configuration file ${path} cannot be written: ${why}`, {
      hint: 'run the command with sudo, or name a file of your own with --config',
      cause,
    });
  }
}

async function backUp(path: string, text: string, now: Date, mode = 0o600): Promise<string> {
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const backup = `${path}.bak-${stamp}`;
  await replaceFile(backup, text, { mode: mode & 0o777 });
  return backup;
}

/** Secrets are for the agent's user alone: of the service that is the group. */
async function termsOf(
  plan: FilePlan,
  mode = 0o644,
): Promise<{ readonly mode: number; readonly gid?: number }> {
  if (!hasSecrets(plan.loaded)) return { mode: mode & 0o777 };
  const gid = process.getuid?.() === 0 ? await gidOf(SERVICE_GROUP) : undefined;
  return gid === undefined ? { mode: mode & 0o700 } : { mode: (mode & 0o700) | 0o040, gid };
}

async function gidOf(group: string): Promise<number | undefined> {
  const { code, stdout } = await runProgram('getent', ['group', group], { deadlineMs: ASK_MS });
  const gid = Number(stdout.split(':')[2]);
  return code === 0 && Number.isInteger(gid) ? gid : undefined;
}

/** Creates the job network and its rules. Throws NETWORK_*, RUNTIME_*. */
export async function bringNetworkUp({ path }: CliContext, loaded: Loaded): Promise<void> {
  const engine = requireLocalEngine(dockerEndpoint(loaded));
  await up({ engine, limits: lineLimits(loaded.config), nft: await Nft.find(path) });
}

/** Whether systemd runs this host and knows the service. Never throws. */
export async function hasService(): Promise<boolean> {
  try {
    await stat('/run/systemd/system');
    const { code } = await runProgram('systemctl', ['cat', UNIT], { deadlineMs: ASK_MS });
    return code === 0;
  } catch {
    // No systemd, or one that does not answer.
    return false;
  }
}

/** Enables the service and starts it; one that runs is restarted, which interrupts no job. Returns why that failed. */
export async function startService(): Promise<string | undefined> {
  for (const argv of [
    ['enable', UNIT],
    ['restart', UNIT],
  ]) {
    try {
      const { code, stderr } = await runProgram('systemctl', argv, { deadlineMs: START_MS });
      if (code !== 0) return `systemctl ${argv.join(' ')} failed: ${stderr.trim()}`;
    } catch (cause) {
      return `systemctl ${argv.join(' ')} ${cause instanceof Error ? cause.message : String(cause)}`;
    }
  }
  return undefined;
}
