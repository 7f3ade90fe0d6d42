import { EngineLog } from '../measure/engine-log.ts';
import { openScene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import type { Row } from '../row.ts';

/** From a container's exit to its report at the broker, and to the claim of the next job. */
export const report: Row = {
  name: 'report',
  measure: async (ground) => {
    await using log = await EngineLog.open(ground.engine.docker);
    await using scene = await openScene(ground, 1);
    await using _agent = await scene.start();
    const jobs = scene.addRun(TRIVIAL, ground.quick ? 3 : 40);
    await scene.allReported(jobs);
    const inOrder = jobs.toSorted((a, b) => (scene.claimed.get(a) ?? 0) - (scene.claimed.get(b) ?? 0));
    const reports: number[] = [];
    const ahead: number[] = [];
    for (const [index, job] of inOrder.entries()) {
      const exit = await log.at(job, 'die');
      const reported = scene.reported.get(job) ?? 0;
      reports.push(reported - exit);
      const next = inOrder[index + 1];
      if (next === undefined) continue;
      ahead.push((scene.claimed.get(next) ?? 0) - reported);
    }
    return [
      figureOf(
        { what: 'exit -> report taken', unit: 'ms', targets: [{ of: 'median', atMost: 100 }] },
        reports,
      ),
      figureOf({ what: 'report taken -> next job claimed (less than 0: before it)', unit: 'ms' }, ahead),
    ];
  },
};
