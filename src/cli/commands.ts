import { agentMoved } from './agent-moved/command.ts';
import { brokerMoved } from './broker-moved/command.ts';
import { check } from './check/command.ts';
import type { CliCommand } from './command.ts';
import { completion } from './completion/command.ts';
import { desk } from './desk/command.ts';
import { drain } from './drain/command.ts';
import { dryRun } from './dry-run/command.ts';
import { earnings } from './earnings/command.ts';
import { events } from './events/command.ts';
import { health } from './health/command.ts';
import { images } from './images/command.ts';
import { jobs } from './jobs/command.ts';
import { login } from './login/command.ts';
import { logout } from './logout/command.ts';
import { market } from './market/command.ts';
import { network } from './network/command.ts';
import { notify } from './notify/command.ts';
import { mode } from './owner/mode.ts';
import { pause } from './owner/pause.ts';
import { reclaim } from './owner/reclaim.ts';
import { resume } from './owner/resume.ts';
import { page } from './page/command.ts';
import { price } from './price/command.ts';
import { schedule } from './schedule/command.ts';
import { setup } from './setup/command.ts';
import { type RunDaemon, start } from './start/command.ts';
import { status } from './status/command.ts';
import { supportBundle } from './support-bundle/command.ts';
import { top } from './top/command.ts';

/** Every command, in the order of the help. `runDaemon` is what `start` runs. */
export function commandsOf(runDaemon: RunDaemon): readonly CliCommand[] {
  const commands: readonly CliCommand[] = [
    start(runDaemon),
    drain,
    dryRun,
    desk,
    pause,
    resume,
    reclaim,
    mode,
    status,
    top,
    page,
    events,
    setup,
    login,
    logout,
    check,
    market,
    price,
    schedule,
    jobs,
    earnings,
    images,
    health,
    network,
    notify,
    supportBundle,
    brokerMoved,
    agentMoved,
    completion(() => commands),
  ];
  return commands;
}
