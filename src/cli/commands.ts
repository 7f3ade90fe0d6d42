import { brokerMoved } from './broker-moved.ts';
import { check } from './check.ts';
import type { CliCommand } from './command.ts';
import { drain } from './drain.ts';
import { dryRun } from './dry-run.ts';
import { health } from './health.ts';
import { jobs } from './jobs.ts';
import { market } from './market.ts';
import { network } from './network.ts';
import { start } from './start.ts';

/** Every command, in the order of the help. A new one is a file beside this and a name in this list. */
export const COMMANDS: readonly CliCommand[] = [
  start,
  drain,
  dryRun,
  check,
  market,
  jobs,
  health,
  network,
  brokerMoved,
];
