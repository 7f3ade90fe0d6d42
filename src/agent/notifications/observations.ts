import type { AgentError } from '../../domain/errors.ts';
import type { NotificationItem, Observation } from '../../domain/notification.ts';
import type { ConditionKind } from '../../domain/notification-kinds.ts';
import type { AgentEvent } from '../events/events.ts';

/** The checks of admission that are about free disk: its bytes, and its inodes. */
const DISK_CHECKS: readonly string[] = ['disk', 'files'];
const ALL_GPUS = 'nvidia-smi';
const STARTUP = 'startup';
const HOST = 'host';
const ONE = 'one';

/** What the agent's events say about what an owner is notified of. Remembers what several events together say. */
export class Observations {
  readonly #offers = new Set<string>();
  readonly #held = new Set<string>();
  readonly #jobs = new Set<string>();
  #isPaused = false;
  #isReachable = false;

  /** What an event shows. */
  of(event: AgentEvent): readonly Observation[] {
    const direct = observationsOf(event);
    const counted = this.#follow(event);
    return counted ? [...direct, ...this.#market(event)] : direct;
  }

  /** Answers whether the event matters to the question whether runs could be taken. */
  #follow(event: AgentEvent): boolean {
    switch (event.kind) {
      case 'offer-registered':
        this.#offers.add(event.offer.key);
        this.#isReachable = true;
        return true;
      case 'offer-deregistered':
        this.#offers.delete(event.offer.key);
        return true;
      case 'target-held':
        this.#held.add(event.target);
        return true;
      case 'target-released':
        this.#held.delete(event.target);
        return true;
      case 'claiming-paused':
        this.#isPaused = true;
        return true;
      case 'claiming-resumed':
        this.#isPaused = false;
        return true;
      case 'polling-failed':
        this.#isReachable = false;
        return true;
      case 'broker-reachable':
        this.#isReachable = true;
        return true;
      case 'job-started':
      case 'job-adopted':
        this.#jobs.add(event.job.uuid);
        return true;
      case 'job-ended':
      case 'job-cancelled':
      case 'job-release-queued':
        return this.#jobs.delete(event.job.uuid);
      default:
        return false;
    }
  }

  #market(event: AgentEvent): readonly Observation[] {
    const kind: ConditionKind = 'no-jobs';
    if (event.kind === 'job-started' || this.#jobs.size > 0) return [{ kind, is: 'off', key: ONE }];
    const canTake = this.#offers.size > 0 && this.#held.size === 0 && !this.#isPaused && this.#isReachable;
    const why = 'the offer was on the market, and no run of it was taken';
    const hint = 'run `sharedcloud-agent market`, which says why each run is skipped';
    const item = { key: ONE, name: 'this host', why, hint };
    return [{ kind, is: 'on', item, ...(canTake ? {} : { counts: false }) }];
  }
}

function observationsOf(event: AgentEvent): readonly Observation[] {
  switch (event.kind) {
    case 'gpu-cordoned': {
      const { gpu, hint, why } = event;
      return [on('gpu-cordoned', { key: gpu.uuid, name: gpu.name, why, hint })];
    }
    case 'gpu-uncordoned':
      return [off('gpu-cordoned', event.gpu.uuid)];
    case 'gpu-probe-failed': {
      const { hint, why } = event;
      return [on('gpu-cordoned', { key: ALL_GPUS, name: 'every GPU', why, hint })];
    }
    case 'gpu-probe-recovered':
      return [off('gpu-cordoned', ALL_GPUS)];
    case 'claiming-paused': {
      const { blockedBy, hint, why } = event;
      const isDisk = blockedBy.some((name) => DISK_CHECKS.includes(name));
      const isOther = blockedBy.some((name) => !DISK_CHECKS.includes(name));
      const item = { key: HOST, name: 'this host', why, hint };
      return [
        isDisk ? on('disk-low', item) : off('disk-low', HOST),
        isOther ? on('claiming-blocked', item) : off('claiming-blocked', HOST),
      ];
    }
    case 'claiming-resumed':
      return [off('disk-low', HOST), off('claiming-blocked', HOST)];
    case 'startup-blocked':
      return isOfBroker(event.error)
        ? ofBroker(event.error)
        : [on('claiming-blocked', itemOf(event.error, STARTUP, 'this host'))];
    case 'polling-failed':
      return isOfBroker(event.error) ? ofBroker(event.error) : [];
    case 'broker-reachable':
      return BROKER_ANSWERS;
    case 'offer-registered':
      return [...BROKER_ANSWERS, off('claiming-blocked', STARTUP)];
    case 'recovery-completed':
      return [off('claiming-blocked', STARTUP)];
    case 'vulnerabilities-checked': {
      const items = event.risks.map(({ hint, what }) => ({ key: what, name: what, why: what, hint }));
      return [{ kind: 'vulnerability', is: 'all', items }];
    }
    case 'reclaim-ended':
      return afterReclaim(event);
    default:
      return [];
  }
}

function afterReclaim({
  gpus,
  left,
  problem,
}: Extract<AgentEvent, { kind: 'reclaim-ended' }>): readonly Observation[] {
  const kind = 'reclaim-incomplete';
  const inUse = gpus
    .filter(({ state }) => state === 'in-use')
    .map(({ gpu, processes }): Observation => {
      const pids = processes.map(({ pid }) => pid).join(', ');
      const why = `its memory is used by ${pids === '' ? 'somebody' : `process ${pids}`}`;
      const hint = 'see whose it is with `nvidia-smi`, and end it if it should not be there';
      return { kind, is: 'incident', item: { key: gpu, name: `GPU ${gpu}`, why, hint } };
    });
  if (left.length === 0) return inUse;
  const why = `jobs still run: ${problem?.why ?? 'the engine does not end them'}`;
  const item = { key: 'jobs', name: 'this host', why, hint: problem?.hint };
  return [{ kind, is: 'incident', item }, ...inUse];
}

const BROKER_ANSWERS: readonly Observation[] = [off('token-refused', ONE), off('broker-unreachable', ONE)];

/** A broker that refuses the token answers. */
function ofBroker(error: AgentError): readonly Observation[] {
  const item = itemOf(error, ONE, 'the broker');
  return error.code === 'BROKER_UNAUTHORIZED'
    ? [on('token-refused', item), off('broker-unreachable', ONE)]
    : [on('broker-unreachable', item)];
}

function isOfBroker({ code }: AgentError): boolean {
  return code.startsWith('BROKER_');
}

function itemOf({ hint, message }: AgentError, key: string, name: string): NotificationItem {
  return { key, name, why: message, hint };
}

function on(kind: ConditionKind, item: NotificationItem): Observation {
  return { kind, is: 'on', item };
}

function off(kind: ConditionKind, key: string): Observation {
  return { kind, is: 'off', key };
}
