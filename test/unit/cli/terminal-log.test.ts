import { describe, expect, test } from 'vitest';
import { eventLog } from '../../../src/agent/events/event-log.ts';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { JOB_STATUS, type JobRecord } from '../../../src/domain/job.ts';
import { createLog } from '../../../src/lib/log.ts';
import { Redactor } from '../../../src/lib/redactor.ts';
import { aNewJob, anOffer, aRun } from '../../support/domain.ts';

const UUID = '531d8edc-35c1-476b-b375-c44f3ddb9c69';
const CONTAINER = '0a'.repeat(32);
const GPU = { uuid: `GPU-${UUID}`, name: 'GPU 0 (NVIDIA GeForce RTX 3060)' };
const WHY = 'connect ECONNREFUSED 127.0.0.1:8000: '.repeat(4).trim();
const ENGINE = { id: 'a3f0', dataRoot: '/var/lib/docker', endpoint: 'unix:///var/run/docker.sock' };
const HINT = 'check the cable, then restart the service: sudo systemctl restart docker '.repeat(3).trim();

const job: JobRecord = {
  ...aNewJob({ uuid: UUID, run: UUID, functionName: 'hello-python', gpu: GPU.uuid, slot: `${GPU.uuid}#0` }),
  state: { name: 'claiming' },
  claimedAt: 0,
  updatedAt: 0,
};
const offer = anOffer({ key: 'gpu:NVIDIA GeForce RTX 3060', instance: UUID });
const run = aRun({ uuid: UUID, functionName: 'hello-python' });
const report = { status: JOB_STATUS.SUCCEEDED, buildLogs: '', stdout: '', stderr: '', result: '' };
const error = new AgentError('BROKER_UNREACHABLE', WHY, { hint: HINT });

/** One of each event. */
const EVENTS = {
  'gpu-cordoned': { kind: 'gpu-cordoned', gpu: GPU, why: WHY, hint: HINT },
  'gpu-uncordoned': { kind: 'gpu-uncordoned', gpu: GPU },
  'gpu-throttled': { kind: 'gpu-throttled', gpu: GPU, reasons: ['hw_thermal'], temperatureC: 90, hint: HINT },
  'gpu-unthrottled': { kind: 'gpu-unthrottled', gpu: GPU },
  'gpu-probe-failed': { kind: 'gpu-probe-failed', why: WHY, hint: HINT },
  'gpu-probe-recovered': { kind: 'gpu-probe-recovered' },
  'gpu-xid': { kind: 'gpu-xid', gpu: GPU, busId: '00000000:01:00.0', number: 31, why: WHY, hint: HINT },
  'kernel-log-unavailable': { kind: 'kernel-log-unavailable', why: WHY, hint: HINT },
  'gpu-notice': { kind: 'gpu-notice', gpu: GPU, why: WHY, hint: HINT },
  'gpu-canary': { kind: 'gpu-canary', gpu: GPU, why: WHY, retryInMs: 60_000 },
  'recovery-completed': { kind: 'recovery-completed', adopted: 3 },
  'claiming-paused': { kind: 'claiming-paused', blockedBy: ['engine', 'disk'], why: WHY, hint: HINT },
  'claiming-resumed': { kind: 'claiming-resumed' },
  'test-container-failed': { kind: 'test-container-failed', error, retryInMs: 1234 },
  'test-container-passed': { kind: 'test-container-passed' },
  'engine-breaker-opened': { kind: 'engine-breaker-opened', error, retryInMs: 1234 },
  'startup-blocked': { kind: 'startup-blocked', error, retryInMs: 1234 },
  'polling-failed': { kind: 'polling-failed', error, failures: 2, retryInMs: 1234 },
  'broker-reachable': { kind: 'broker-reachable' },
  'vulnerabilities-checked': { kind: 'vulnerabilities-checked', risks: [] },
  'offer-registered': { kind: 'offer-registered', offer },
  'offer-price-updated': { kind: 'offer-price-updated', offer, before: 0.05 },
  'ask-changed': {
    kind: 'ask-changed',
    at: 0,
    offer: offer.key,
    before: 0.05,
    ask: 0.06,
    strategy: 'fixed',
    reason: 'floor-rose',
    limitedBy: 'floor',
    terms: { floor: 0.06 },
  },
  'ask-strategy-held': { kind: 'ask-strategy-held', offer: offer.key, hold: 'market-stale' },
  'asks-frozen': { kind: 'asks-frozen', by: 'alice', from: '/run/control.sock', note: WHY },
  'asks-unfrozen': { kind: 'asks-unfrozen', by: 'alice', from: '/run/control.sock' },
  'image-pinned': { kind: 'image-pinned', image: 'python:3.14', by: 'alice', from: '/run/control.sock' },
  'image-unpinned': { kind: 'image-unpinned', image: 'python:3.14', by: 'alice', from: '/run/control.sock' },
  'images-collected': {
    kind: 'images-collected',
    removed: 3,
    freedBytes: 12.3e9,
    by: 'alice',
    from: '/run/control.sock',
  },
  'floor-above-max': { kind: 'floor-above-max', offer: offer.key, floor: 0.06, max: 0.05 },
  'offer-deregistered': { kind: 'offer-deregistered', offer, why: WHY },
  'run-skipped': { kind: 'run-skipped', offer, run, reason: 'wrong-offer-type' },
  'job-claimed': { kind: 'job-claimed', offer, run, job: UUID },
  'claim-rejected': { kind: 'claim-rejected', offer, job: UUID, why: 'underbid' },
  'claim-unanswered': { kind: 'claim-unanswered', offer, job: UUID, error },
  'image-pulling': {
    kind: 'image-pulling',
    image: 'sharedcloud/web-crawler-python36:latest',
    doneBytes: 1.2e9,
    totalBytes: 2e9,
    unknownLayers: 3,
    bytesPerSecond: 12e6,
    secondsLeft: 90,
  },
  'image-pull-cancelled': {
    kind: 'image-pull-cancelled',
    image: 'sharedcloud/web-crawler-python36:latest',
    tookMs: 12_345,
  },
  'image-evicted': {
    kind: 'image-evicted',
    image: 'sharedcloud/web-crawler-python36:latest',
    id: `sha256:${'a'.repeat(64)}`,
    freedBytes: 1_234_567_890,
    valuePerDay: 12_345,
    reason: 'min-free-disk',
  },
  'image-ready': {
    kind: 'image-ready',
    image: `registry.example/${'deep/'.repeat(20)}image:1`,
    tookMs: 1234,
  },
  'image-failed': {
    kind: 'image-failed',
    image: 'sharedcloud/python36:latest',
    code: 'IMAGE_NOT_FOUND',
    why: WHY,
    hint: WHY,
    hostFault: false,
    retryInMs: 1234,
  },
  'runs-skipped': { kind: 'runs-skipped', offer, reasons: { 'bid-below-ask': 99_000, 'in-backoff': 12 } },
  'owner-command': {
    kind: 'owner-command',
    command: { kind: 'pause', targets: [UUID], tag: '', note: WHY },
    by: 'ada',
    from: 'control socket',
  },
  'target-held': {
    kind: 'target-held',
    target: 'cpu',
    hold: { kind: 'manual', why: WHY, until: 0, hint: HINT },
  },
  'reclaim-ended': {
    kind: 'reclaim-ended',
    jobs: [UUID],
    gpus: [{ gpu: UUID, state: 'in-use', inUseMiB: 700, processes: [{ pid: 7, gpu: UUID, usedMiB: 700 }] }],
    left: [],
    problem: undefined,
    tookMs: 1,
  },
  'target-released': { kind: 'target-released', target: 'cpu' },
  'offer-resized': { kind: 'offer-resized', offer },
  'page-served': { kind: 'page-served', host: '127.0.0.1', port: 8470 },
  'page-not-served': { kind: 'page-not-served', why: WHY, hint: HINT, retryInMs: 1_000 },
  'page-signed-in': { kind: 'page-signed-in', by: 'page of ada', from: '127.0.0.1', rights: ['read'] },
  'page-sign-in-refused': { kind: 'page-sign-in-refused', from: '127.0.0.1', why: WHY },
  'page-signed-out': { kind: 'page-signed-out', by: 'ada', from: '127.0.0.1', all: true },
  'job-started': { kind: 'job-started', job },
  'job-adopted': { kind: 'job-adopted', job },
  'job-ended': { kind: 'job-ended', job, report, durationMs: 1234, earned: 0.01234, traffic: null },
  'job-cancelled': { kind: 'job-cancelled', job, why: WHY },
  'job-release-queued': { kind: 'job-release-queued', job, why: WHY },
  'presence-changed': { kind: 'presence-changed', gpu: GPU, state: 'here', why: WHY },
  'job-released': { kind: 'job-released', job },
  'engine-changed': { kind: 'engine-changed', from: ENGINE, to: ENGINE, lost: 1 },
  'engine-degraded': {
    kind: 'engine-degraded',
    why: WHY,
    slow: [{ call: 'ping', slow: 2, of: 3, maxMs: 5_000 }],
    hint: HINT,
  },
  'engine-recovered': { kind: 'engine-recovered' },
  'container-removal-failed': {
    kind: 'container-removal-failed',
    container: CONTAINER,
    job: UUID,
    why: WHY,
    hint: HINT,
    orphans: 3,
  },
  'container-removed': { kind: 'container-removed', container: CONTAINER, job: UUID, orphans: 2 },
  'report-delivered': { kind: 'report-delivered', job, earned: 0.01234 },
  'report-refused': { kind: 'report-refused', job, why: WHY },
} as const satisfies { readonly [Kind in AgentEvent['kind']]: AgentEvent & { readonly kind: Kind } };

function shown(event: AgentEvent, format: 'json' | 'pretty', columns: number): string {
  let text = '';
  const destination = { write: (line: string) => void (text += line) };
  const redactor = new Redactor();
  eventLog(createLog({ level: 'debug', format, colour: false, columns, destination, redactor }))(event);
  return text;
}

describe.each(Object.values(EVENTS))('on a terminal $kind', (event) => {
  test.each([80, 100, 250])('fits %d columns, and never takes more than 100', (columns) => {
    const lines = shown(event, 'pretty', columns).split('\n');
    expect(lines.filter(({ length }) => length > Math.min(columns, 100))).toEqual([]);
  });

  test('has short ids, a hint that begins its own line, and no event name', () => {
    const text = shown(event, 'pretty', 100);
    expect(text).not.toContain(UUID);
    expect(text).not.toContain('event=');
    if ('hint' in event) expect(text).toMatch(/\n {15}hint: /);
  });
});

test.each(['job-claimed', 'job-started', 'job-ended', 'job-released', 'report-delivered'] as const)(
  '%s takes one line',
  (kind) => {
    expect(shown(EVENTS[kind], 'pretty', 100).trimEnd().split('\n')).toHaveLength(1);
  },
);

test('money and durations are readable on a terminal and exact in JSON', () => {
  const ended = shown(EVENTS['job-ended'], 'pretty', 100);
  expect(ended).toContain('took=1.2s');
  expect(ended).not.toContain('earned');
  expect(shown(EVENTS['report-delivered'], 'pretty', 100)).toContain('earned=$0.0123');
  expect(JSON.parse(shown(EVENTS['job-ended'], 'json', 100))).toMatchObject({
    event: 'job-ended',
    job: UUID,
    run: UUID,
    durationMs: 1234,
    earned: 0.01234,
  });
});
