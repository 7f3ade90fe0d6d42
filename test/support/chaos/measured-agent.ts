/*
 * `start`, as the product builds it, which at each SIGUSR2 collects its garbage and tells on a line of stdout, as JSON,
 * what memory it holds and how many jobs its journal. With WORK_DIR its jobs are local processes.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { runCli } from '../../../src/cli/run.ts';
import { start } from '../../../src/cli/start/command.ts';
import type { Overrides } from '../../../src/compose.ts';
import { runDaemon } from '../../../src/daemon/run-daemon.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { CPU_IMAGE } from '../domain.ts';
import { outside } from './outside.ts';

setFlagsFromString('--expose-gc');
// The flag comes too late for this context.
const collect: unknown = runInNewContext('gc');
if (!isCollector(collect)) throw new Error('this Node.js does not let its garbage be collected');

const workDir = process.env['WORK_DIR'];
const brokerUrl = process.env['SHAREDCLOUD_BROKER_URL'] ?? '';

const processes = (dir: string): Overrides => ({
  runtime: () =>
    new ProcessRuntime({
      interpreters: { [CPU_IMAGE]: [process.execPath, '-e'] },
      brokerUrl,
      embeddedBrokerUrl: brokerUrl,
      workDir: dir,
      path: process.env['PATH'] ?? '',
      clock: systemClock,
    }),
});

const measured: Overrides = {
  ...(workDir !== undefined && processes(workDir)),
  between: (ports) => {
    process.on('SIGUSR2', () => {
      const rows = ports.journal.history(100_000).length;
      for (let times = 0; times < 3; times += 1) collect();
      const { arrayBuffers, external, heapUsed, rss } = process.memoryUsage();
      const line = { rows, heapBytes: heapUsed + external + arrayBuffers, rssBytes: rss };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    });
    return ports;
  },
};

process.exitCode = await runCli(outside, [
  start((parts) => runDaemon({ ...parts, systemdNotify: undefined }, measured)),
]);

function isCollector(value: unknown): value is () => void {
  return typeof value === 'function';
}
