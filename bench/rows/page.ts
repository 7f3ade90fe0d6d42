import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { RecentEvents } from '../../src/agent/events/recent-events.ts';
import { liveRoute } from '../../src/control/live-route.ts';
import { LiveStatus } from '../../src/control/live-status.ts';
import { ENDPOINTS } from '../../src/control-api/endpoints.ts';
import { serveControl } from '../../src/control-api/serve.ts';
import { CONTROL_SOCKET, socketsOf } from '../../src/control-api/sockets.ts';
import type { JobQuery } from '../../src/journal/job-list.ts';
import { JOURNAL_FILE, openJournal } from '../../src/journal/open-journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openStateDir } from '../../src/state-dir/state-dir.ts';
import { aRunningJob, aStatus, aTarget } from '../../test/support/control/a-status.ts';
import { figureOf } from '../measure/spread.ts';
import type { Figure, Ground, Row } from '../row.ts';

const WATCHERS = 50;

/** What those who look cost the agent: the list of many jobs, and many open pages. */
export const page: Row = {
  name: 'page',
  measure: async (ground) => [
    ...(await jobLists(ground, 10_000)),
    ...(await jobLists(ground, 100_000)),
    await watched(ground),
  ],
};

async function jobLists({ quick }: Ground, jobs: number): Promise<readonly Figure[]> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await mkdtempDisposable(join(tmpdir(), 'sharedcloud-bench-')));
  const stateDir = openStateDir(path);
  opened.defer(() => stateDir.close());
  openJournal(stateDir, 'https://sharedcloud.io/', systemClock).close();
  const db = new DatabaseSync(join(path, JOURNAL_FILE));
  db.exec(`INSERT INTO jobs SELECT n, 'job-' || n, 'https://sharedcloud.io/', 'run-' || n, 'function_' || n % 97, 'gpu:NVIDIA T4',
      'i', 'GPU-1#0', 'GPU-' || n % 4, 0.1, 'registry.example/team/image-' || n % 10 || '@sha256:' || hex(zeroblob(32)), 1,
      'reported', '{"name":"reported","status":3,"durationMs":1000,"earned":0.01}', n, n
    FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${jobs}) SELECT n FROM n)`);
  db.close();
  const journal = openJournal(stateDir, 'https://sharedcloud.io/', systemClock);
  opened.defer(() => journal.close());
  const rounds = quick ? 3 : 50;
  const figures = Object.entries({
    'the latest 50': { limit: 50 },
    'a text that none has': { limit: 50, text: 'nothing' },
    'a GPU that none had': { limit: 50, gpu: 'GPU-9' },
    'an outcome that none had': { limit: 50, outcome: 'timeout' },
  } satisfies Record<string, JobQuery>);
  return figures.map(([name, query]) => {
    const samples = Array.from({ length: rounds }, () => longestStep(journal.list.page(query)));
    const what = `of ${jobs.toLocaleString('en')} jobs ${name}: CPU of the longest step`;
    return figureOf({ what, unit: 'ms', targets: [{ of: 'p95', atMost: 50 }] }, samples);
  });
}

/** In milliseconds: the event loop goes on after each step. */
function longestStep(steps: Iterator<unknown, unknown>): number {
  let longest = 0;
  for (;;) {
    const before = process.cpuUsage();
    const { done } = steps.next();
    const { system, user } = process.cpuUsage(before);
    longest = Math.max(longest, (system + user) / 1_000);
    if (done === true) return longest;
  }
}

/** Eight GPUs whose figures change every second, and all readers in another process. */
async function watched({ quick }: Ground): Promise<Figure> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await mkdtempDisposable(join(tmpdir(), 'sharedcloud-bench-')));
  const recent = new RecentEvents({ clock: systemClock, redact: (line) => line });
  let seconds = 0;
  const status = () => {
    seconds += 1;
    return busyHost(seconds);
  };
  const live = new LiveStatus({ status, lastSeq: () => recent.last, clock: systemClock });
  const routes = [liveRoute(live, recent)];
  opened.use(await serveControl(socketsOf(path, undefined), { routes, version: 'bench' }));
  const readers = opened.adopt(readersOf(join(path, CONTROL_SOCKET)), (child) => void child.kill());
  await once(readers, 'spawn');
  await pause(2_000);
  const shares: number[] = [];
  for (let span = 0; span < (quick ? 1 : 5); span += 1) {
    const spanMs = quick ? 2_000 : 10_000;
    const before = process.cpuUsage();
    await pause(spanMs);
    const { system, user } = process.cpuUsage(before);
    shares.push(((system + user) / 1_000 / spanMs) * 100);
  }
  const what = `${WATCHERS} open pages, 8 GPUs: share of a core`;
  return figureOf({ what, unit: '%', targets: [{ of: 'median', atMost: 2 }] }, shares);
}

function busyHost(seconds: number) {
  const targets = Array.from({ length: 8 }, (_, index) =>
    aTarget({
      target: `GPU-${index}`,
      index,
      jobs: [aRunningJob({ ranMs: seconds * 1_000 })],
      figures: {
        at: Date.now(),
        temperatureC: 60 + (seconds % 20),
        powerW: 300 + seconds,
        powerLimitW: 700,
        memoryUsedMiB: 40_000,
        memoryTotalMiB: 81_920,
        utilizationPercent: seconds % 100,
        fanPercent: 50,
        throttle: [],
        asleep: false,
      },
    }),
  );
  return aStatus({ at: Date.now(), state: 'working', targets });
}

function readersOf(socketPath: string): ChildProcess {
  const request = JSON.stringify({ socketPath, path: ENDPOINTS.live.path });
  const code = `const { get } = require('node:http');
    for (let n = 0; n < ${WATCHERS}; n += 1) get({ ...${request}, agent: false }, (response) => response.resume());`;
  return spawn(process.execPath, ['-e', code], { stdio: 'ignore' });
}
