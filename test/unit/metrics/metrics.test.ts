import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import type { OfferView, TargetView } from '../../../src/agent/owner/overview.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { OwnersBytes } from '../../../src/domain/image-bytes.ts';
import type { JobTotal } from '../../../src/domain/ports/job-sums.ts';
import { BrokerMetrics } from '../../../src/metrics/broker-metrics.ts';
import { EventMetrics } from '../../../src/metrics/event-metrics.ts';
import type { OfferFloor } from '../../../src/metrics/floor-metrics.ts';
import type { TotalsJournal } from '../../../src/metrics/journal-metrics.ts';
import { Metrics } from '../../../src/metrics/metrics.ts';
import { aSample } from '../../support/agent/manual-sampler.ts';
import { aGpu, aNewJob, anOffer, aRun } from '../../support/domain.ts';

const HOSTILE = 'evil"} 1\n# HELP x';

function anOfferView(more: Partial<OfferView> = {}): OfferView {
  return {
    offer: anOffer(),
    used: 0,
    open: 1,
    suspended: undefined,
    states: { used: 0, free: 1, held: 0, cordoned: 0, waiting: 0 },
    runs: 2,
    skips: new Map(),
    ...more,
  };
}

function aTargetView(more: Partial<TargetView> = {}): TargetView {
  return {
    target: 'GPU-1',
    name: 'GPU 0',
    gpu: aGpu(),
    slots: 1,
    mode: 'auto',
    hold: undefined,
    cordonedBy: [],
    heldBy: undefined,
    jobs: [],
    sample: undefined,
    ...more,
  };
}

function aJournal(totals: readonly JobTotal[] = [], oldestAt?: number): TotalsJournal {
  return {
    sums: { pending: () => ({ reports: 3, releases: 1, earned: 0.5 }) },
    totals: { all: () => totals, oldestReportAt: () => oldestAt },
    gpuRollups: {
      energy: () =>
        new Map([
          ['GPU-1', 7],
          ['GPU-gone', 9],
        ]),
    },
    energy: {
      days: {
        totals: () => [
          { gpu: 'GPU-1', use: 'idle', joules: 3, microDollars: 100 },
          { gpu: 'GPU-1', use: 'job', joules: 4, microDollars: 2_500 },
          { gpu: 'GPU-gone', use: 'job', joules: 9, microDollars: 9 },
        ],
      },
    },
  };
}

function linesOf({
  events = [],
  floors = [],
  images,
  journal = aJournal(),
  offers = [anOfferView()],
  targets = [aTargetView()],
}: {
  readonly events?: readonly AgentEvent[];
  readonly floors?: readonly OfferFloor[];
  readonly images?: OwnersBytes;
  readonly journal?: TotalsJournal;
  readonly offers?: readonly OfferView[];
  readonly targets?: readonly TargetView[];
} = {}): readonly string[] {
  const counted = new EventMetrics();
  for (const event of events) counted.observe(event);
  const metrics = new Metrics({
    agent: {
      overview: { glance: () => ({ offers, targets }) },
      images: { totals: () => images },
      pricer: { views: floors },
    },
    journal,
    events: counted,
    broker: new BrokerMetrics(),
    clock: { now: () => 100_000 },
    version: '1.2.3',
  });
  return metrics
    .text('text')
    .split('\n')
    .map((line) => line.replace('sharedcloud_agent_', ''));
}

test('an offer without a job yet has every outcome at 0, so that the first one is an increase', () => {
  const lines = linesOf({
    journal: aJournal([{ offer: 'cpu', outcome: 'timeout', jobs: 4, earned: 0.25 }], 40_000),
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      'jobs_total{offer="gpu:NVIDIA T4",outcome="succeeded"} 0',
      'jobs_total{offer="cpu",outcome="timeout"} 4',
      'earnings_confirmed_dollars_total{offer="gpu:NVIDIA T4"} 0',
      'earnings_confirmed_dollars_total{offer="cpu"} 0.25',
      'earnings_pending_dollars 0.5',
      'reports_pending 3',
      'report_pending_seconds 60',
      'releases_pending 1',
      'energy_joules_total{gpu="GPU-1"} 7',
      'job_energy_joules_total{gpu="GPU-1"} 4',
      'energy_cost_dollars_total{gpu="GPU-1",use="idle"} 0.0001',
      'energy_cost_dollars_total{gpu="GPU-1",use="job"} 0.0025',
      'journal_up 1',
    ]),
  );
  expect(lines.join('\n')).not.toContain('GPU-gone');
});

test('a floor is one where it is known', () => {
  const floors = [
    { offer: 'gpu:NVIDIA T4', cost: { floor: 0.0023 } },
    { offer: 'cpu', cost: undefined },
  ];
  const shown = linesOf({ floors }).filter((line) => line.startsWith('floor_'));
  expect(shown).toEqual(['floor_dollars_per_minute{offer="gpu:NVIDIA T4"} 0.0023']);
});

test('a journal that cannot be read takes nothing else with it', () => {
  const journal: TotalsJournal = {
    ...aJournal(),
    totals: {
      all: () => {
        throw new AgentError('JOURNAL_UNUSABLE', 'broken');
      },
      oldestReportAt: () => undefined,
    },
  };
  const lines = linesOf({ journal });
  expect(lines).toEqual(expect.arrayContaining(['journal_up 0', 'runs_open{offer="gpu:NVIDIA T4"} 2']));
  expect(lines.some((line) => line.startsWith('jobs_total'))).toBe(false);
});

test('slices have the figures of their GPU once, and cordons of their own', () => {
  const slices = [
    { uuid: 'MIG-1', profile: '1g.18gb' },
    { uuid: 'MIG-2', profile: '1g.18gb' },
  ];
  const gpu = aGpu({ slices });
  const sample = aSample({ uuid: 'GPU-1', powerW: 50, throttle: ['hw_thermal'] });
  const lines = linesOf({
    targets: [
      aTargetView({ target: 'MIG-1', gpu, sample, cordonedBy: ['xid', 'temperature'] }),
      aTargetView({ target: 'MIG-2', gpu, sample, heldBy: 'presence' }),
    ],
  });
  expect(lines.filter((line) => line.startsWith('gpu_power_watts'))).toEqual([
    'gpu_power_watts{gpu="GPU-1"} 50',
  ]);
  expect(lines).toEqual(
    expect.arrayContaining([
      'gpu_info{gpu="GPU-1",index="0",model="NVIDIA T4",profile=""} 1',
      'gpu_info{gpu="MIG-2",index="0",model="NVIDIA T4",profile="1g.18gb"} 1',
      'gpu_throttled{gpu="GPU-1"} 1',
      'gpu_cordoned{gpu="MIG-1",reason="xid"} 1',
      'gpu_cordoned{gpu="MIG-1",reason="temperature"} 1',
      'gpu_cordoned{gpu="MIG-2",reason="xid"} 0',
      'gpu_paused{gpu="MIG-2",reason="presence"} 1',
      'gpu_paused{gpu="MIG-1",reason="presence"} 0',
    ]),
  );
  expect(lines.some((line) => line.startsWith('gpu_temperature'))).toBe(false);
});

test('polls that fail leave out the runs, and a blocked host names the check', () => {
  const blocked: AgentEvent = {
    kind: 'claiming-paused',
    blockedBy: ['engine', 'disk'],
    why: '',
    hint: undefined,
  };
  const offers = [anOfferView({ runs: undefined, skips: undefined, suspended: 'engine' })];
  const lines = linesOf({ events: [blocked], offers });
  expect(lines.some((line) => /^runs_(open|skipped)/.test(line))).toBe(false);
  expect(lines).toEqual(
    expect.arrayContaining([
      'offer_on_market{offer="gpu:NVIDIA T4"} 0',
      'claims_blocked{check="disk"} 1',
      'claims_blocked{check="memory"} 0',
      'engine_up 0',
    ]),
  );
  expect(linesOf({ events: [blocked, { kind: 'claiming-resumed' }] })).toContain('engine_up 1');
});

test('whatever buyers name their things, the series stay the same', () => {
  const many = Array.from({ length: 500 }, (_, n): readonly AgentEvent[] => {
    const name = `${HOSTILE}${n}`;
    const job = {
      ...aNewJob({ uuid: name, run: name, functionName: name, image: name }),
      state: { name: 'claiming' } as const,
      claimedAt: 0,
      updatedAt: 0,
    };
    const report = { status: 3, buildLogs: name, stdout: name, stderr: name, result: name } as const;
    return [
      { kind: 'job-claimed', offer: anOffer(), run: aRun({ uuid: name, functionName: name }), job: name },
      { kind: 'image-ready', image: name, tookMs: n },
      { kind: 'job-ended', job, report, durationMs: n, earned: 0, traffic: null },
      { kind: 'claim-rejected', offer: anOffer(), job: name, why: 'lost' },
    ];
  });
  const lines = linesOf({ events: many.flat() });
  expect(lines.join('\n')).not.toContain('evil');
  expect(lines.length).toBeLessThan(250);
  expect(lines).toEqual(
    expect.arrayContaining([
      'claims_total{offer="gpu:NVIDIA T4",result="claimed"} 500',
      'claims_total{offer="gpu:NVIDIA T4",result="lost"} 500',
      'job_duration_seconds_count 500',
      'image_pull_seconds_count 500',
      'events_total{event="job-ended"} 500',
    ]),
  );
});

test('images count by who brought them, and are missing where they are not known', () => {
  const images = { agent: { images: 2, bytes: 30 }, other: { images: 5, bytes: 7 } };
  expect(linesOf({ images })).toEqual(
    expect.arrayContaining([
      'images{owner="agent"} 2',
      'images{owner="other"} 5',
      'image_bytes{owner="agent"} 30',
      'image_bytes{owner="other"} 7',
    ]),
  );
  expect(linesOf().some((line) => line.startsWith('images{'))).toBe(false);
});

test('evictions count by reason from 0 on, with what they freed', () => {
  const evicted = { kind: 'image-evicted', image: HOSTILE, id: 'x', valuePerDay: 1 } as const;
  const lines = linesOf({
    events: [
      { ...evicted, freedBytes: 10, reason: 'high-mark' },
      { ...evicted, freedBytes: 32, reason: 'high-mark' },
    ],
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      'image_evictions_total{reason="high-mark"} 2',
      'image_evictions_total{reason="owner"} 0',
      'image_evicted_bytes_total 42',
    ]),
  );
  expect(lines.join('\n')).not.toContain('evil');
});
