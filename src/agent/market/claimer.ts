import { asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord, type JobState } from '../../domain/job.ts';
import type { Offer, Slot } from '../../domain/offer.ts';
import type { Broker, ClaimAnswer } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { ReadyImage } from '../../domain/ports/runtime.ts';
import type { FunctionSpec, Run } from '../../domain/run.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { retry } from '../retry/retry.ts';
import { writeDurably } from '../retry/write-durably.ts';

/** What is to be claimed, for whom, with what and where it will run. */
export type ClaimTarget = {
  readonly job: BrokerJob;
  readonly run: Run;
  readonly fn: FunctionSpec;
  readonly image: ReadyImage;
  readonly offer: Offer;
  readonly slot: Slot;
};

/**
 * How a claim came out; `refused`: the broker will not give us jobs of this run; `early`: perhaps it only counts a job
 * whose report it is still owed, and gives us no other until then.
 */
export type Claimed =
  | { readonly kind: 'won'; readonly won: Won }
  | { readonly kind: 'lost' | 'refused' | 'early' | 'unanswered' | 'unauthorized' };

/** A claim that was won. */
export type Won = { readonly record: JobRecord; readonly job: BrokerJob };

export type ClaimerDeps = {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly jobTimeoutMs: number;
  /** Called when the broker is owed a release. */
  readonly onPending: () => void;
  /** Aborted when the daemon ends: what is not in the journal by then is drained at the next start. */
  readonly detach: AbortSignal;
};

/** Claims one job: the journal first, then the broker, repeated while its answer does not come. */
export class Claimer {
  readonly #deps: ClaimerDeps;

  constructor(deps: ClaimerDeps) {
    this.#deps = deps;
  }

  /** Never throws for what the broker says; a claim without an answer is released. */
  async claim(what: ClaimTarget, signal: AbortSignal): Promise<Claimed> {
    const { job, offer, run, slot } = what;
    const { broker, journal, observe } = this.#deps;
    journal.insert({
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
    });
    const isOwed = journal.instancesOf('finished').includes(offer.instance);
    const { clock, random } = this.#deps;
    const inTime = within(RETRY.claim.giveUpAfterMs, signal);
    let answer: ClaimAnswer;
    try {
      answer = await retry({ policy: RETRY.claim, clock, random, signal: inTime }, () =>
        broker.claim(job.uuid, offer.instance, inTime),
      );
    } catch (thrown) {
      // Whether the claim took effect is not known: it is released, and a claim that never was is none to release.
      const error = asAgentError(thrown);
      await this.#move(job.uuid, {
        name: 'releasing',
        why: `the claim was not answered: ${error.message}`,
      });
      this.#deps.log.warn({ job: job.uuid, code: error.code }, `claim given up: ${error.message}`);
      this.#deps.onPending();
      if (isOwed && error.code === 'BROKER_REFUSED') return { kind: 'early' };
      return { kind: error.code === 'BROKER_UNAUTHORIZED' ? 'unauthorized' : 'unanswered' };
    }
    if (answer.kind !== 'claimed') {
      await this.#move(job.uuid, { name: 'dropped', why: answer.kind });
      observe({ kind: 'claim-rejected', job: job.uuid, why: answer.kind });
      if (isOwed && answer.kind !== 'gone') return { kind: 'early' };
      return { kind: answer.kind === 'underbid' ? 'refused' : 'lost' };
    }
    const record = await this.#move(job.uuid, { name: 'claimed' });
    observe({ kind: 'job-claimed', offer, run, job: job.uuid });
    return { kind: 'won', won: { record, job: answer.job } };
  }

  /** The broker has spoken: its word is written down however long the disk denies it. */
  #move(job: string, state: JobState): Promise<JobRecord> {
    const { detach, journal } = this.#deps;
    return writeDurably({ ...this.#deps, signal: detach }, () => journal.transition(job, state));
  }
}

/** Whether a job in the broker's list may be claimed: open, and not one that this host holds or owes already. */
export function mayClaim(job: BrokerJob, known: JobRecord | undefined): boolean {
  if (job.status !== JOB_STATUS.CREATED) return false;
  return known === undefined || known.state.name === 'released' || known.state.name === 'dropped';
}
