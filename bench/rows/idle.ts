import { setTimeout as pause } from 'node:timers/promises';
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
      if (cgroup !== undefined) held.push(memoryHeld(cgroup.path) / 1e6);
      requests.push(((scene.tally.calls.length - callsBefore) / spanMs) * 60_000);
      written.push(((after.writtenBytes - before.writtenBytes) / spanMs) * 60);
    }
    return [
      figureOf({ what: 'CPU', unit: '% of a core', targets: [{ of: 'median', atMost: 0.2 }] }, cpu),
      figureOf({ what: 'resident memory', unit: 'MB', targets: [{ of: 'median', atMost: 80 }] }, rss),
      figureOf({ what: 'of it no pages of files', unit: 'MB' }, own),
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
