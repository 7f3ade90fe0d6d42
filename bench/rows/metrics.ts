import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { OfferView, TargetView } from '../../src/agent/owner/overview.ts';
import { JOURNAL_FILE, openJournal } from '../../src/journal/open-journal.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { BrokerMetrics } from '../../src/metrics/broker-metrics.ts';
import { EventMetrics } from '../../src/metrics/event-metrics.ts';
import { Metrics } from '../../src/metrics/metrics.ts';
import { openStateDir } from '../../src/state-dir/state-dir.ts';
import { aSample } from '../../test/support/agent/manual-sampler.ts';
import { aGpu, anOffer } from '../../test/support/domain.ts';
import { figureOf } from '../measure/spread.ts';
import type { Row } from '../row.ts';

const JOBS = 100_000;
const MODELS = ['cpu', 'gpu:NVIDIA T4', 'gpu:NVIDIA H100', 'gpu:NVIDIA L4'];

const OFFERS: readonly OfferView[] = MODELS.map((key) => ({
  offer: anOffer({ key }),
  used: 1,
  open: 2,
  suspended: undefined,
  states: { used: 1, free: 1, held: 0, cordoned: 0, waiting: 0 },
  runs: 100,
  skips: new Map([['bid-below-ask', 90]]),
}));

const TARGETS: readonly TargetView[] = Array.from({ length: 8 }, (_, index) => {
  const gpu = aGpu({ uuid: `GPU-${index}`, index });
  const figures = {
    utilizationPercent: 99,
    memoryUsedMiB: 1,
    memoryFreeMiB: 2,
    temperatureC: 70,
    powerW: 300,
  };
  return {
    target: gpu.uuid,
    name: `GPU ${index}`,
    gpu,
    slots: 1,
    mode: 'auto',
    hold: undefined,
    cordonedBy: [],
    heldBy: undefined,
    jobs: [],
    sample: aSample({ uuid: gpu.uuid, ...figures, powerLimitW: 700, fanPercent: 40 }),
  };
});

/** What a scrape costs the agent: eight GPUs, four offers, 100,000 jobs in the journal. */
export const metrics: Row = {
  name: 'metrics',
  measure: async (ground) => {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await mkdtempDisposable(join(tmpdir(), 'sharedcloud-bench-')));
    const stateDir = openStateDir(path);
    opened.defer(() => stateDir.close());
    openJournal(stateDir, 'https://sharedcloud.io/', systemClock).close();
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec(`INSERT INTO jobs SELECT n, 'job-' || n, 'https://sharedcloud.io/', 'run', 'sample', 'cpu', 'i', 'cpu#0', NULL, 0.1,
        'image', 1, CASE WHEN n % 1000 = 0 THEN 'finished' ELSE 'reported' END,
        '{"name":"reported","status":3,"durationMs":1000,"earned":0.01}', n, n
      FROM (WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${JOBS}) SELECT n FROM n)`);
    db.exec(`INSERT INTO job_history (uuid, at, state, detail)
      SELECT uuid, claimed_at, state, '{"status":3,"durationMs":1000}' FROM jobs WHERE state = 'finished'`);
    db.close();
    const journal = openJournal(stateDir, 'https://sharedcloud.io/', systemClock);
    opened.defer(() => journal.close());
    const events = new EventMetrics();
    const broker = new BrokerMetrics();
    const names = ['runs', 'jobs', 'jobs/1', 'runs/1', 'functions/1', 'images/1', 'instances', 'instances/1'];
    for (const name of names)
      for (const status of [200, 404, 503, undefined])
        broker.observe({ method: 'GET', path: `/api/v1/${name}`, status, tookMs: 20 });
    for (const { offer } of OFFERS) events.observe({ kind: 'offer-registered', offer });
    const agent = {
      overview: { glance: () => ({ offers: OFFERS, targets: TARGETS }) },
      images: { totals: () => ({ agent: { images: 20, bytes: 1e11 }, other: { images: 9, bytes: 1e10 } }) },
      pricer: { views: OFFERS.map(({ offer }) => ({ offer: offer.key, cost: { floor: 0.002 } })) },
    };
    const all = new Metrics({ agent, journal, events, broker, clock: systemClock, version: '1.2.3' });
    all.text('text');
    const samples = Array.from({ length: ground.quick ? 5 : 200 }, () =>
      cpuOf(() => all.text('openmetrics')),
    );
    const what = 'CPU of a scrape: 8 GPUs, 4 offers, 100,000 jobs';
    return [
      figureOf(
        {
          what,
          unit: 'ms',
          targets: [
            { of: 'median', atMost: 5 },
            { of: 'p95', atMost: 10 },
          ],
        },
        samples,
      ),
    ];
  },
};

/** In milliseconds. */
function cpuOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / 1_000;
}
