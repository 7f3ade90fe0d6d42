import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { AS_PACKAGED } from '../../test/support/e2e/as-packaged.ts';
import { MemoryCgroup, memoryHeld, whyNoCgroup } from '../../test/support/fuzz/cgroup.ts';
import { usageOf } from '../measure/process.ts';
import { openScene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import type { Row } from '../row.ts';

/** The cost of an idle agent. */
export const idle: Row = {
  name: 'idle',
  measure: async (ground) => {
    await using scene = await openScene(ground, 2);
    using cgroup = whyNoCgroup() === undefined ? new MemoryCgroup() : undefined;
    const join = ['sh', '-c', `echo $$ >'${cgroup?.procs}' && exec "$@"`, 'sh'];
    await using agent = await scene.start(cgroup === undefined ? [] : join);
    const { pid } = agent.child;
    await scene.allReported(scene.addRun(TRIVIAL, 2));
    const [settleMs, spanMs, spans] = ground.quick ? [500, 2_000, 1] : [30_000, 60_000, 3];
    await pause(settleMs);
    const cpu: number[] = [];
    const rss: number[] = [];
    const own: number[] = [];
    const bareRss: number[] = [];
    const bareOwn: number[] = [];
    using bare = new BareNode();
    const held: number[] = [];
    const requests: number[] = [];
    const written: number[] = [];
    for (let span = 0; span < spans; span += 1) {
      const before = usageOf(pid);
      const callsBefore = scene.tally.calls.length;
      await pause(spanMs);
      const after = usageOf(pid);
      cpu.push(((after.cpuSeconds - before.cpuSeconds) / spanMs) * 100_000);
      rss.push(after.rssBytes / 1e6);
      own.push(after.anonBytes / 1e6);
      const { anonBytes, rssBytes } = usageOf(bare.pid);
      bareRss.push(rssBytes / 1e6);
      bareOwn.push(anonBytes / 1e6);
      if (cgroup !== undefined) held.push(memoryHeld(cgroup.path) / 1e6);
      requests.push(((scene.tally.calls.length - callsBefore) / spanMs) * 60_000);
      written.push(((after.writtenBytes - before.writtenBytes) / spanMs) * 60);
    }
    return [
      figureOf({ what: 'CPU', unit: '% of a core', targets: [{ of: 'median', atMost: 0.2 }] }, cpu),
      figureOf({ what: 'resident memory', unit: 'MB', targets: [{ of: 'median', atMost: 80 }] }, rss, {
        what: 'Node.js that imports nothing',
        samples: bareRss,
      }),
      figureOf({ what: 'of it no pages of files', unit: 'MB' }, own, {
        what: 'Node.js that imports nothing',
        samples: bareOwn,
      }),
      ...(held.length === 0
        ? []
        : [figureOf({ what: 'memory by its cgroup, without cached files', unit: 'MB' }, held)]),
      figureOf(
        { what: 'requests, calls held', unit: 'a minute', targets: [{ of: 'median', atMost: 3 }] },
        requests,
      ),
      figureOf(
        { what: 'written to disk', unit: 'kB a minute', targets: [{ of: 'median', atMost: 0 }] },
        written,
      ),
    ];
  },
};

/** Node.js as the packages start it, with nothing to do. */
class BareNode implements Disposable {
  readonly #child: ChildProcess = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 60_000)'], {
    env: AS_PACKAGED,
    stdio: 'ignore',
  });

  get pid(): number | undefined {
    return this.#child.pid;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
