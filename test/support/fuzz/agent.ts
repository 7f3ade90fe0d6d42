/*
 * `start`, as the product builds it, whose jobs are local processes outside the memory cgroup of the agent: each begins with
 * a move to the cgroup whose file of processes is JOBS_PROCS. WORK_DIR is where they work.
 */
import { runCli } from '../../../src/cli/run.ts';
import { start } from '../../../src/cli/start/command.ts';
import { runDaemon } from '../../../src/daemon/run-daemon.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { outside } from '../chaos/outside.ts';
import { CPU_IMAGE } from '../domain.ts';

const brokerUrl = process.env['SHAREDCLOUD_BROKER_URL'] ?? '';
const move = `echo $$ > '${process.env['JOBS_PROCS']}' && exec '${process.execPath}' -e "$0"`;

const runtime = (): ProcessRuntime =>
  new ProcessRuntime({
    interpreters: { [CPU_IMAGE]: ['sh', '-c', move] },
    brokerUrl,
    embeddedBrokerUrl: brokerUrl,
    workDir: process.env['WORK_DIR'] ?? '',
    path: process.env['PATH'] ?? '',
    clock: systemClock,
  });

process.exitCode = await runCli(outside, [
  start((parts) => runDaemon({ ...parts, systemdNotify: undefined }, { runtime })),
]);
