import { logEntry } from '../../src/agent/events/event-log.ts';
import type { AgentEvent } from '../../src/agent/events/events.ts';
import { AgentError } from '../../src/domain/errors.ts';
import type { JobRecord } from '../../src/domain/job.ts';
import { aNewJob, anOffer, aRun } from '../../test/support/domain.ts';

type Kind = AgentEvent['kind'];

const gpu = { uuid: 'GPU-1', name: 'GPU' };
const job: JobRecord = { ...aNewJob(), state: { name: 'claimed' }, claimedAt: 0, updatedAt: 0 };
const offer = anOffer();
const run = aRun();
const report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '' } as const;
const hint = '…';
const traffic = { sentBytes: 1, receivedBytes: 1 };
const why = '…';
const session = { by: 'ada, on the page', from: 'session … at 127.0.0.1' };
const engine = { id: '…', dataRoot: '…', endpoint: '…' };

/** An example of each event, from which its level, message and fields in the log are read. */
const EXAMPLES: { readonly [K in Kind]: Extract<AgentEvent, { kind: K }> } = {
  'recovery-completed': { kind: 'recovery-completed', adopted: 1 },
  'engine-changed': { kind: 'engine-changed', from: engine, to: engine, lost: 0 },
  'engine-degraded': { kind: 'engine-degraded', why, slow: [], hint },
  'engine-recovered': { kind: 'engine-recovered' },
  'claiming-paused': { kind: 'claiming-paused', blockedBy: [], why, hint },
  'claiming-resumed': { kind: 'claiming-resumed' },
  'owner-command': {
    kind: 'owner-command',
    command: { kind: 'pause', targets: 'all', tag: '', note: 'a note' },
    by: 'ada',
    from: 'control socket',
  },
  'target-held': { kind: 'target-held', target: 'cpu', hold: { kind: 'manual', why, until: 0, hint } },
  'reclaim-ended': { kind: 'reclaim-ended', jobs: [], gpus: [], left: [], problem: undefined, tookMs: 1 },
  'target-released': { kind: 'target-released', target: 'cpu' },
  'offer-resized': { kind: 'offer-resized', offer },
  'test-container-failed': {
    kind: 'test-container-failed',
    error: new AgentError('RUNTIME_FAILED', why, { hint }),
    retryInMs: 1,
  },
  'test-container-passed': { kind: 'test-container-passed' },
  'engine-breaker-opened': {
    kind: 'engine-breaker-opened',
    error: new AgentError('RUNTIME_FAILED', why, { hint }),
    retryInMs: 1,
  },
  'startup-blocked': {
    kind: 'startup-blocked',
    error: new AgentError('BROKER_UNREACHABLE', why),
    retryInMs: 1,
  },
  'polling-failed': {
    kind: 'polling-failed',
    error: new AgentError('BROKER_UNREACHABLE', why, { hint }),
    failures: 2,
    retryInMs: 1,
  },
  'broker-reachable': { kind: 'broker-reachable' },
  'vulnerabilities-checked': { kind: 'vulnerabilities-checked', risks: [] },
  'offer-registered': { kind: 'offer-registered', offer },
  'offer-price-updated': { kind: 'offer-price-updated', offer, before: 1 },
  'ask-changed': {
    kind: 'ask-changed',
    at: 1,
    offer: offer.key,
    before: 0.05,
    ask: 0.04,
    strategy: 'fixed',
    reason: 'configured',
    limitedBy: undefined,
    terms: {},
  },
  'ask-strategy-held': { kind: 'ask-strategy-held', offer: offer.key, hold: 'floor-unknown' },
  'asks-frozen': { kind: 'asks-frozen', by: 'alice', from: '…', note: '…' },
  'asks-unfrozen': { kind: 'asks-unfrozen', by: 'alice', from: '…' },
  'floor-above-max': { kind: 'floor-above-max', offer: offer.key, floor: 0.06, max: 0.05 },
  'offer-deregistered': { kind: 'offer-deregistered', offer, why },
  'run-skipped': { kind: 'run-skipped', offer, run, reason: 'no-slot' },
  'runs-skipped': { kind: 'runs-skipped', offer, reasons: { 'no-slot': 2 } },
  'image-ready': { kind: 'image-ready', image: 'image', tookMs: 1 },
  'image-pulling': {
    kind: 'image-pulling',
    image: '…',
    doneBytes: 1,
    totalBytes: 2,
    unknownLayers: 0,
    bytesPerSecond: 1,
    secondsLeft: 1,
  },
  'image-pull-cancelled': { kind: 'image-pull-cancelled', image: 'image', tookMs: 1 },
  'image-failed': {
    kind: 'image-failed',
    image: 'image',
    code: 'IMAGE_NOT_FOUND',
    why,
    hint,
    hostFault: false,
    retryInMs: 1,
  },
  'page-served': { kind: 'page-served', host: '127.0.0.1', port: 8470 },
  'page-not-served': { kind: 'page-not-served', why, hint, retryInMs: 1 },
  'page-signed-in': { kind: 'page-signed-in', ...session, rights: ['read'] },
  'page-sign-in-refused': { kind: 'page-sign-in-refused', from: '127.0.0.1', why },
  'page-signed-out': { kind: 'page-signed-out', ...session, all: false },
  'job-claimed': { kind: 'job-claimed', offer, run, job: job.uuid },
  'claim-rejected': { kind: 'claim-rejected', offer, job: job.uuid, why: 'lost' },
  'claim-unanswered': {
    kind: 'claim-unanswered',
    offer,
    job: job.uuid,
    error: new AgentError('BROKER_UNREACHABLE', why),
  },
  'job-started': { kind: 'job-started', job },
  'job-adopted': { kind: 'job-adopted', job },
  'job-ended': { kind: 'job-ended', job, report, durationMs: 1, earned: 1, traffic },
  'job-cancelled': { kind: 'job-cancelled', job, why },
  'job-release-queued': { kind: 'job-release-queued', job, why },
  'job-released': { kind: 'job-released', job },
  'container-removal-failed': {
    kind: 'container-removal-failed',
    container: 'container',
    job: job.uuid,
    why,
    hint,
    orphans: 1,
  },
  'container-removed': { kind: 'container-removed', container: 'container', job: job.uuid, orphans: 0 },
  'report-delivered': { kind: 'report-delivered', job, earned: 1 },
  'report-refused': { kind: 'report-refused', job, why },
  'gpu-cordoned': { kind: 'gpu-cordoned', gpu, why, hint },
  'gpu-uncordoned': { kind: 'gpu-uncordoned', gpu },
  'gpu-probe-failed': { kind: 'gpu-probe-failed', why, hint },
  'gpu-probe-recovered': { kind: 'gpu-probe-recovered' },
  'gpu-notice': { kind: 'gpu-notice', gpu, why, hint },
  'presence-changed': { kind: 'presence-changed', gpu, state: 'here', why },
  'gpu-xid': { kind: 'gpu-xid', gpu, busId: '0', number: 0, why, hint },
  'gpu-canary': { kind: 'gpu-canary', gpu, why, retryInMs: 1 },
  'gpu-throttled': { kind: 'gpu-throttled', gpu, reasons: [], temperatureC: 90, hint },
  'gpu-unthrottled': { kind: 'gpu-unthrottled', gpu },
  'kernel-log-unavailable': { kind: 'kernel-log-unavailable', why, hint },
};

/** Further examples of events whose level depends on their fields. */
const VARIANTS: readonly AgentEvent[] = [
  { kind: 'polling-failed', error: new AgentError('BROKER_UNREACHABLE', why), failures: 1, retryInMs: 1 },
  { kind: 'run-skipped', offer, run, reason: 'image-not-pulled' },
  { kind: 'gpu-canary', gpu, why: undefined, retryInMs: 1 },
  {
    kind: 'image-failed',
    image: 'image',
    code: 'IMAGE_STORE_CORRUPT',
    why,
    hint,
    hostFault: true,
    retryInMs: 1,
  },
];

/** An event as it is documented: its name, level, message and fields in the log. */
export type DocumentedEvent = readonly [name: string, level: string, message: string, fields: string];

/** Every event of the log, by name. */
export function documentedEvents(): readonly DocumentedEvent[] {
  const ofAgent = Object.values(EXAMPLES).map((event): DocumentedEvent => {
    const { fields, level, message } = logEntry(event);
    const others = VARIANTS.filter(({ kind }) => kind === event.kind).map((one) => logEntry(one).level);
    return [event.kind, [level, ...others].join(' or '), message, Object.keys(fields).join(', ')];
  });
  return [...ofAgent, ...OTHERS].toSorted(([a], [b]) => a.localeCompare(b));
}

/** Lines that one part logs by itself; `test/unit/docs/events.test.ts` compares the names with the sources. */
const OTHERS: readonly DocumentedEvent[] = [
  [
    'agent-started',
    'info',
    'agent started',
    'version, broker, pid, os, cpu, memoryBytes, virtualization, platform',
  ],
  [
    'notification-failed',
    'warn',
    'notification not delivered, tried again: …',
    'target, address, code, hint, retryInMs',
  ],
  ['notification-delivered', 'debug', 'notification delivered', 'target, id, kind, state'],
  ['notification-target-recovered', 'info', 'notifications are delivered', 'target, address'],
  ['notification-dropped', 'warn', 'notification given up: …', 'target, kind, state, why'],
  ['notifications-not-saved', 'warn', 'notifications are not saved: …', 'err'],
  ['electricity-prices-read', 'info', 'prices of electricity read', 'source, prices, until'],
  [
    'electricity-prices-failed',
    'warn',
    'prices of electricity are not known: …',
    'source, code, hint, isStale',
  ],
  ['daily-summary-failed', 'warn', 'the daily summary waits for the journal', 'err'],
  ['agent-stopped', 'info', 'agent stopped', ''],
  ['state-dir-copied', 'warn', 'state directory was copied from …', 'from, otherMachine'],
  ['broker-proxy-used', 'info', 'the broker is reached through a proxy', 'proxy'],
  ['broker-moved', 'warn', 'broker moved from … to …', 'from, to'],
  ['ca-certificates-unusable', 'warn', 'certificate authorities not loaded: …', 'hint'],
  ['call-failed', 'warn', 'trying again: …', 'code, hint, attempt, retryInMs'],
  ['claim-aborted', 'error', 'claim aborted: …', 'job, code'],
  ['claim-pass-failed', 'error', 'claiming interrupted: …', 'code'],
  ['configuration-reloaded', 'info', 'configuration reloaded', ''],
  ['configuration-warning', 'warn', '…', ''],
  ['cost-unknown', 'debug', 'cost not known, computed here: …', 'job, code'],
  ['cpu-jobs-only', 'warn', 'CPU jobs only: …', 'code, hint'],
  ['delivery-failed', 'warn or debug', 'not delivered yet, kept on disk: …', 'job, code, tries, retryInMs'],
  ['function-code-failed', 'warn', 'code not fetched, nothing is claimed: …', 'run, code'],
  ['garbage-collected', 'debug', 'orphans listed', 'containers, folders'],
  ['garbage-collection-failed', 'debug', 'orphans not listed: …', 'code'],
  ['gpu-catalogue-failed', 'warn', 'GPU catalogue not fetched: …', 'code, retryInMs'],
  ['games-reported', 'info', 'games reported to the agent', 'games'],
  ['games-not-reported', 'warn', 'it is unknown whether a game runs: …', 'code, hint'],
  ['gpu-use-unreadable', 'warn', 'processes on GPUs unknown: …', 'code, hint'],
  ['gpu-use-readable', 'info', 'the processes on GPUs are read again', ''],
  ['sessions-unreadable', 'warn', 'the sessions of this host cannot be read: …', 'code, hint'],
  ['sessions-readable', 'info', 'the sessions of this host are read again', ''],
  ['gpu-processes-unavailable', 'debug', 'processes on a GPU not listed: …', 'code'],
  ['gpu-sampling-failed', 'warn', 'GPUs not sampled: …', 'code, hint'],
  ['gpu-sampling-recovered', 'info', 'GPUs are sampled again', ''],
  ['pricing-failed', 'warn', 'ask stays as it is: …', 'offer, code'],
  ['gpu-use-not-written', 'warn', 'use of GPUs not written: …', 'code'],
  ['energy-not-written', 'warn', 'energy of jobs not written: …', 'code'],
  ['gpus-refused', 'error', 'no GPU is offered: …', 'hint'],
  ['idle-unknown', 'warn', 'not idle: …', 'code, hint'],
  ['image-announcement-failed', 'warn', 'image not announced to the broker: …', 'image, code'],
  ['invalid-item', 'warn', '… skipped, it is invalid: …', 'reason, and the item by its kind'],
  ['job-aborted', 'error', 'job aborted: …', 'job, code'],
  ['events-left-out', 'warn', 'in `events` only: … events are left out here, …', 'events'],
  ['log-lines-omitted', 'warn', '… lines of the event … omitted', 'of, lines'],
  ['job-line-unprotected', 'warn', 'the rules of the job network are from an older agent: …', 'hint'],
  [
    'job-network-open',
    'warn',
    'jobs reach this host and its network because of --job-network bridge',
    'hint',
  ],
  ['job-network-failed', 'warn', 'the job network is not up: …', 'code, hint'],
  ['job-network-repaired', 'info', 'the job network or its rules were created', ''],
  ['job-network-up', 'info', 'the job network and its rules are in place', ''],
  ['job-network-unverified', 'warn', 'jobs get no network, its isolation is not verified: …', 'code, hint'],
  ['job-lookup-failed', 'warn or debug', 'job not looked up: …', 'job, code, times'],
  ['job-network-verified', 'info', 'the job network is verified to be isolated', ''],
  ['connections-lost', 'warn', 'some connections were lost, this host is busy', ''],
  ['traffic-log-not-marked', 'warn', 'the log cannot be marked: …', ''],
  ['traffic-log-not-written', 'error', 'connections not written: …', ''],
  ['traffic-log-off', 'info', 'connections of jobs are not logged (--job-traffic-log off)', ''],
  ['traffic-log-prune-failed', 'warn', 'old connections not deleted: …', ''],
  ['traffic-log-started', 'info', 'connections of jobs are logged', 'directory'],
  ['traffic-log-written', 'info', 'connections are written again', ''],
  ['job-traffic-not-written', 'warn', 'traffic of jobs not written to the journal: …', 'job, code'],
  [
    'job-traffic-unknown',
    'warn',
    '--job-traffic is not enforced: neither the kernel nor Docker counts the traffic of jobs',
    'job, hint',
  ],
  ['journal-unreadable', 'error', 'open jobs or lease not read: …', 'code, hint'],
  ['journal-prune-failed', 'warn', 'old jobs not deleted from the journal', 'err'],
  ['lease-not-written', 'debug', 'lease not written yet: …', 'code'],
  ['offer-note', 'warn', 'offered: …', 'what, why, hint'],
  ['not-offered', 'warn', 'not offered: …', 'what, why, hint'],
  ['nothing-to-offer', 'error', 'nothing to offer: …', 'code, hint, retryInMs'],
  ['offer-deregistration-failed', 'warn', 'offer not deregistered at the broker: …', 'offer, code'],
  ['offer-registration-failed', 'warn', 'offer not registered again: …', 'offer, code'],
  ['market-cut', 'warn', 'the market is larger than what is read of it, some runs are left out', 'runs'],
  ['open-jobs-failed', 'warn', 'open jobs not listed: …', 'run, code'],
  [
    'orphan-removal-failed',
    'warn or error',
    'orphaned container or files not removed: …',
    'container or job, code',
  ],
  ['orphan-removed', 'info', 'orphaned container or files removed', 'container or job'],
  ['reconciliation-failed', 'warn or debug', 'instance not reconciled: …', 'instance, code'],
  ['registry-credentials-unusable', 'warn', '…', 'code, hint'],
  ['reload-failed', 'error', 'configuration not reloaded: …', 'code, hint'],
  ['removal-failed', 'warn', 'jobs of this dry run may be left: …', 'code'],
  ['reports-not-read', 'error', 'pending reports not read: …', 'code, hint'],
  ['restart-needed', 'warn', 'changed, but needs a restart: …', 'settings'],
  ['risk-found', 'warn', 'risk: …', 'hint'],
  ['run-invalid', 'warn', 'run skipped, its function cannot be run: …', 'run'],
  ['run-lookup-failed', 'warn', 'run not resolved: …', 'run, code, retryInMs'],
  ['runtime-ready', 'info', 'runtime ready', 'runtime'],
  ['signal-received', 'info', '…', 'action'],
  ['state-dir-write-failed', 'warn', '…', 'err'],
  [
    'schedule-gpu-unknown',
    'warn',
    'the schedule names … for a GPU that this host does not have',
    'rule, gpu',
  ],
  ['suspend-detected', 'warn', 'the host slept or the agent was stopped', 'suspendedMs'],
  ['systemd-notify-failed', 'warn', 'systemd could not be notified', 'err'],
  ['task-failed', 'error', 'background task failed: …', 'code, err'],
  ['token-renewed', 'info', 'token renewed', ''],
  ['token-unreadable', 'warn', 'token not read again: …', 'code, hint'],
  [
    'unknown-job-released',
    'warn',
    'job is held here only by the broker’s account, releasing it',
    'job, hint',
  ],
];
