import type { Config } from '../../config/config.ts';
import { presencePolicy } from '../../config/gpu-settings.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { yields } from '../../domain/presence.ts';
import { isOfUser, silentDesktops } from '../../domain/session.ts';
import { count } from '../count.ts';
import { type CheckResult, fromError, ok, warn } from './check-result.ts';
import type { PresenceInspection } from './inspect-presence.ts';

const DESK = 'systemctl --user enable --now sharedcloud-agent-desk, as the user who plays';

type PresenceConfig = Pick<Config, 'gpus' | 'whenActive' | 'whenGaming'>;

/** Which GPUs yield to their owner, and by which signs. Nothing here keeps jobs from running. */
export function checkPresence(
  config: PresenceConfig,
  gpus: readonly Gpu[],
  seen: PresenceInspection | undefined,
): readonly CheckResult[] {
  if (gpus.length === 0) return [];
  const yielding = gpus.filter((gpu) => yields(presencePolicy(config, gpu)));
  if (seen === undefined || yielding.length === 0) return [checkNone(config)];
  const named = yielding.map((gpu) => {
    const { whenActive, whenGaming } = presencePolicy(config, gpu);
    const display = gpu.displayActive === true ? ', has a display' : '';
    return `GPU ${gpu.index}${display}: ${whenActive} when active, ${whenGaming} when gaming`;
  });
  return [
    ok('owner presence', named.join('; ')),
    checkProcesses(seen),
    ...checkSessions(seen),
    checkGameMode(config, seen),
  ];
}

function checkNone({ whenActive, whenGaming }: PresenceConfig): CheckResult {
  const check = 'owner presence';
  if (!yields({ whenActive, whenGaming })) return ok(check, 'ignored: no GPU yields to its owner');
  const hint = 'write when-active = "pause" into the table [gpu."MODEL"] of the file';
  return ok(check, `no GPU has a display, so none yields to its owner; for one that is to, ${hint}`);
}

function checkProcesses({ areIdsShared, processes }: PresenceInspection): CheckResult {
  const check = 'gpu processes';
  if (!areIdsShared)
    return warn(
      check,
      'process ids are hidden, as in a container: other programs on a GPU are seen only while no job runs on it',
      'install the package on the host, or share its process ids with the agent’s container (pid: host)',
    );
  if ('error' in processes) return fromError(check, processes.error, 'warn');
  if (processes.value.hasGraphics) return ok(check, 'readable: games, desktops and programs that compute');
  return warn(
    check,
    'the driver shows only programs that compute: games are not seen',
    `let GameMode report games: ${DESK}; or set --when-active ignore`,
  );
}

function checkSessions({ now, sessions }: PresenceInspection): readonly CheckResult[] {
  const check = 'sessions';
  if ('error' in sessions) return [fromError(check, sessions.error, 'warn')];
  const found = sessions.value;
  if (found === undefined) return [ok(check, 'not seen: no systemd-logind answers here, as in a container')];
  const silent = silentDesktops(found, now).map(({ id, type, user }) => `session ${id} of ${user} (${type})`);
  const users = found.filter(isOfUser);
  const seen = ok(check, `systemd-logind answers, ${count(users.length, 'session')} of users`);
  if (silent.length === 0) return [seen];
  return [
    warn(
      check,
      `${silent.join(', ')} was not idle for 24 hours: this desktop may never say that it is, and its user counts as active`,
      'lock the screen when you leave, which counts as idle, or set --when-active ignore',
    ),
  ];
}

function checkGameMode(
  { whenGaming }: PresenceConfig,
  { desks = [], hasGameMode }: PresenceInspection,
): CheckResult {
  const check = 'game mode';
  if (whenGaming === 'ignore') return ok(check, 'ignored');
  if (desks.length > 0) return ok(check, `games are reported by the session of ${desks.join(', ')}`);
  if (!hasGameMode) return ok(check, 'GameMode is not installed: games show as programs on the GPU');
  return ok(check, `installed; to let it end jobs at the start of a game: ${DESK}`);
}
