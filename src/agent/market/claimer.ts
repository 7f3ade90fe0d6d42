import { asAgentError } from '../../domain/errors.ts';
import { canonicalRefOf } from '../../domain/image-ref.ts';
import {
  type BrokerJob,
  JOB_STATUS,
  type JobRecord,
  type JobState,
  type JobWithArguments,
} from '../../domain/job.ts';
import type { Offer, Slot } from '../../domain/offer.ts';
import type { Broker, ClaimAnswer } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { ReadyImage } from '../../domain/ports/runtime.ts';
import type { FunctionSpec, Run } from '../../domain/run.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import type { Steps } from '../../lib/slices.ts';
import { LIMITS } from '../../limits.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { retry } from '../retry/retry.ts';
import { writeDurably } from '../retry/write-durably.ts';
import type { OpenJob } from './job-arguments.ts';

/** A job to claim, and what it will run with and where. */
export type ClaimTarget = {
  readonly job: OpenJob;
  readonly run: Run;
  readonly fn: FunctionSpec;
  readonly image: ReadyImage;
  readonly offer: Offer;
  readonly slot: Slot;
};

/**
 * How a claim ended. `refused`: the broker gives this host no jobs of the run. `early`: it may give them once it has
 * accepted a report that is pending. `held`: the owner took the slot back meanwhile, and the job is released.
 */
export type Claimed =
  | { readonly kind: 'won'; readonly won: Won }
  | { readonly kind: 'lost' | 'refused' | 'early' | 'held' | 'unanswered' | 'unauthorized' };

/** Whether the broker has decided between this host and others. */
export function isDecided({ kind }: Claimed): boolean {
  return kind === 'won' || kind === 'lost' || kind === 'refused';
}

export type Won = { readonly record: JobRecord; readonly job: JobWithArguments };

export type ClaimerDeps = {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly jobTimeoutMs: number;
  /** Why the owner keeps a slot from new jobs; undefined: nothing does. */
  readonly holdOf: (slot: Slot) => string | undefined;
  /** Notified when the journal has a release for the broker. */
  readonly reportPending: Notifier;
  /** Aborted when the daemon ends: the next start releases what is not in the journal by then. */
  readonly detach: AbortSignal;
};

/** Claims one job: writes the journal first, then asks the broker until it answers. */
export class Claimer {
  readonly #deps: ClaimerDeps;

  constructor(deps: ClaimerDeps) {
    this.#deps = deps;
  }

  /** Releases a claim without an answer. Throws where the journal cannot be written. */
  async claim(what: ClaimTarget, signal: AbortSignal): Promise<Claimed> {
    const { job, offer, run, slot } = what;
    const { broker, journal, observe } = this.#deps;
    const claim = {
      uuid: job.uuid,
      run: run.uuid,
      functionName: what.fn.name,
      offerKey: offer.key,
      instance: offer.instance,
      slot: slot.id,
      gpu: slot.gpu,
      askPrice: offer.askPrice,
      image: what.image.id,
      timeoutMs: this.#deps.jobTimeoutMs,
    };
    journal.insert(claim, run.functionUuid, canonicalRefOf(what.fn.registryPath));
    const isReportPending = journal.instancesOf('finished').includes(offer.instance);
    const { clock, random } = this.#deps;
    const inTime = within(RETRY.claim.giveUpAfterMs, signal);
    let answer: ClaimAnswer;
    try {
      answer = await retry({ policy: RETRY.claim, clock, random, signal: inTime }, () =>
        broker.claim(job.uuid, offer.instance, inTime),
      );
    } catch (thrown) {
      // The claim may have taken effect; releasing one that has not does no harm.
      const error = asAgentError(thrown);
      await this.#move(job.uuid, {
        name: 'releasing',
        why: `the claim was not answered: ${error.message}`,
      });
      observe({ kind: 'claim-unanswered', offer, job: job.uuid, error });
      this.#deps.reportPending.notify();
      if (isReportPending && error.code === 'BROKER_REFUSED') return { kind: 'early' };
      return { kind: error.code === 'BROKER_UNAUTHORIZED' ? 'unauthorized' : 'unanswered' };
    }
    if (answer.kind !== 'claimed') {
      await this.#move(job.uuid, { name: 'dropped', why: answer.kind });
      observe({ kind: 'claim-rejected', offer, job: job.uuid, why: answer.kind });
      if (isReportPending && answer.kind !== 'gone') return { kind: 'early' };
      return { kind: answer.kind === 'underbid' ? 'refused' : 'lost' };
    }
    const record = await this.#move(job.uuid, { name: 'claimed' });
    const held = this.#deps.holdOf(slot);
    if (held !== undefined) {
      const why = `taken back by the owner before it started: ${held}`;
      observe({
        kind: 'job-release-queued',
        job: await this.#move(job.uuid, { name: 'releasing', why }),
        why,
      });
      this.#deps.reportPending.notify();
      return { kind: 'held' };
    }
    observe({ kind: 'job-claimed', offer, run, job: job.uuid });
    return { kind: 'won', won: { record, job: answer.job } };
  }

  /** Writes the broker's answer, however long the disk refuses. */
  #move(job: string, state: JobState): Promise<JobRecord> {
    const { detach, journal } = this.#deps;
    return writeDurably({ ...this.#deps, signal: detach }, () => journal.transition(job, state));
  }
}

/** Whether a listed job may be claimed: it is open, and the journal has nothing pending of it. */
export function mayClaim(job: BrokerJob, known: JobRecord | undefined): boolean {
  if (job.status !== JOB_STATUS.CREATED) return false;
  return known === undefined || known.state.name === 'released' || known.state.name === 'dropped';
}

/** The first jobs that may be claimed; a run may have a million, and each costs a query of the journal. */
export function* firstClaimable<Job extends BrokerJob>(
  jobs: readonly Job[],
  accepts: (job: Job) => boolean,
): Steps<Job[]> {
  const claimable: Job[] = [];
  for (const job of jobs) {
    if (claimable.length >= LIMITS.broker.openJobs.max) break;
    if (accepts(job)) claimable.push(job);
    yield;
  }
  return claimable;
}
