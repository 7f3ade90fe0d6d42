import type { MarketKnowledge } from '../../domain/decide.ts';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { MarketChanges, MarketHistory, MarketPoll } from '../../domain/ports/market-history.ts';
import type { Run } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';
import { inSlices } from '../../lib/slices.ts';
import { RETRY } from '../retry/policies.ts';
import { restAfter } from '../retry/rest-after.ts';
import { waitAfter } from '../retry/retry.ts';
import { AskRecorder } from './ask-recorder.ts';
import { FunctionLearner } from './function-learner.ts';
import { OpenRuns } from './open-runs.ts';
import { opennessOf } from './openness.ts';
import type { RecordedOffer } from './recorded-offers.ts';

/** Between two polls, in milliseconds, and the part by which each may come sooner. */
const POLL_MS = 60_000;
const EARLY = 0.2;
/** The agent registers and claims first. */
const FIRST_POLL_MS = 20_000;
/** After so many refusals in a row the broker is taken at its word, and asked again after so long. */
const REFUSALS = 3;
const REFUSED_MS = 24 * 3_600_000;
/** After a failure of the disk, in milliseconds. */
const DISK_RETRY_MS = 300_000;
/** The wall clock may be set back by so much without being noticed. */
const SET_BACK_MS = 1_000;

const NO_CHANGES: MarketChanges = { began: [], grew: [], ended: [], gpuNames: new Map() };

export type MarketRecorderDeps = {
  readonly broker: Pick<Broker, 'function' | 'image' | 'offers' | 'runs'>;
  readonly history: MarketHistory;
  readonly offers: () => readonly RecordedOffer[];
  readonly catalogue: { readonly gpus: MarketKnowledge['catalogue'] };
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/** What a list of runs shows; `runs` undefined: the same as the last one. */
type Seen = {
  readonly runs: readonly Run[] | undefined;
  readonly isCut: boolean;
  readonly isFiltered: boolean;
  readonly waitMs: number;
};

/**
 * Polls at the whole market once a minute and writes what has changed. Nothing waits for it: a failure of broker or disk
 * leaves a gap in the history and disturbs neither polls nor claims.
 */
export class MarketRecorder {
  readonly #deps: MarketRecorderDeps;
  readonly #asks: AskRecorder;
  readonly #functions: FunctionLearner;
  readonly #problems = new OncePerChange();
  /** Undefined: to be read from disk. */
  #open: OpenRuns | undefined;
  #etag: string | undefined;
  #failures = 0;
  /** How long to wait after the last failure, in milliseconds. */
  #retryMs = POLL_MS;
  #refusals = 0;
  /** When the whole list may be asked for again, by the clock that cannot be set. */
  #refusedUntil = Number.NEGATIVE_INFINITY;
  #polledAt = Number.NEGATIVE_INFINITY;

  constructor(deps: MarketRecorderDeps) {
    this.#deps = deps;
    this.#asks = new AskRecorder(deps);
    this.#functions = new FunctionLearner(deps);
  }

  /** Records until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    let waitMs = FIRST_POLL_MS;
    while (await sleep(waitMs * (1 - EARLY * this.#deps.random()), signal)) waitMs = await this.poll(signal);
  }

  /** Polls once; answers how long to wait until the next time, in milliseconds. */
  async poll(signal: AbortSignal): Promise<number> {
    let waitMs: number;
    try {
      const seen = await this.#see(signal);
      if (signal.aborted) return 0;
      await this.#write(seen);
      waitMs = seen?.waitMs ?? this.#retryMs;
      await this.#functions.learn(signal);
      await this.#asks.poll(signal);
      if (this.#problems.forget('disk'))
        this.#deps.log.info({ event: 'market-history-resumed' }, 'the market is recorded again');
    } catch (thrown) {
      if (signal.aborted) return 0;
      this.#diskFailed(asAgentError(thrown));
      return DISK_RETRY_MS;
    }
    return Math.max(waitMs, POLL_MS);
  }

  /** Undefined: the broker does not answer. */
  async #see(signal: AbortSignal): Promise<Seen | undefined> {
    const { broker, clock } = this.#deps;
    if (clock.monotonic() < this.#refusedUntil) return this.#filtered();
    try {
      const etag = this.#open === undefined ? undefined : this.#etag;
      const answer = await broker.runs({ instance: undefined, etag, waitSeconds: 0, signal });
      // An answer without a tag has none: with an older one, it might never be sent again.
      this.#etag = answer.unchanged ? (answer.etag ?? etag) : answer.etag;
      this.#failures = 0;
      this.#refusals = 0;
      if (this.#problems.forget('refused'))
        this.#deps.log.info({ event: 'market-poll-resumed' }, 'the broker shows the whole market again');
      return {
        runs: answer.unchanged ? undefined : answer.runs,
        isCut: answer.isCut,
        isFiltered: false,
        waitMs: Math.max(answer.retryAfterMs ?? 0, restAfter(answer.busyMs)),
      };
    } catch (thrown) {
      this.#failures += 1;
      const error = asAgentError(thrown);
      this.#retryMs = waitAfter(error, RETRY.marketPoll, this.#failures, this.#deps.random);
      return this.#failed(error);
    }
  }

  /** A broker that answers the offers' own polls and not this one refuses it. */
  async #failed(error: AgentError): Promise<Seen | undefined> {
    const answers = this.#deps.offers().some(({ runs }) => runs !== undefined);
    const { code, message } = error;
    if (!answers || !REFUSAL_CODES.has(code)) {
      this.#refusals = 0;
      return undefined;
    }
    this.#refusals += 1;
    if (this.#refusals < REFUSALS) return undefined;
    this.#refusedUntil = this.#deps.clock.monotonic() + REFUSED_MS;
    if (this.#problems.isNew('refused', 'refused'))
      this.#deps.log.warn(
        { event: 'market-poll-refused', code },
        `the whole market is not shown, the history has only what this host’s offers see: ${message}`,
      );
    return this.#filtered();
  }

  /** What the offers' own polls show. */
  async #filtered(): Promise<Seen | undefined> {
    this.#etag = undefined;
    const lists = this.#deps.offers().flatMap(({ runs }) => (runs === undefined ? [] : [runs]));
    if (lists.length === 0) return undefined;
    return { runs: await inSlices(eachOnce(lists)), isCut: false, isFiltered: true, waitMs: 0 };
  }

  async #write(seen: Seen | undefined): Promise<void> {
    const { clock, history, log } = this.#deps;
    const at = clock.now();
    this.#open ??= await inSlices(OpenRuns.from(await inSlices(history.open())));
    const openness = await inSlices(opennessOf(this.#deps.offers(), this.#deps.catalogue.gpus));
    const ended = at < this.#polledAt - SET_BACK_MS ? await inSlices(this.#open.endAll()) : [];
    // The tag of a list of which all intervals were ended says nothing any more.
    if (ended.length > 0) this.#etag = undefined;
    const shown = seen === undefined ? NO_CHANGES : await inSlices(this.#open.see({ ...seen, at, openness }));
    const changes = ended.length === 0 ? shown : { ...shown, ended: [...ended, ...shown.ended] };
    const offers = new Map(this.#deps.offers().map(({ offer, state }) => [offer.key, state]));
    const poll: MarketPoll = {
      at,
      isSeen: seen !== undefined,
      isFiltered: seen?.isFiltered === true,
      offers,
    };
    const leftOut = await inSlices(history.write(poll, changes));
    this.#polledAt = at;
    if (leftOut > 0) this.#open = undefined;
    if (leftOut > 0 && this.#problems.isNew('full', 'full'))
      log.warn(
        { event: 'market-history-full', leftOut },
        'the market history has no room for all open runs: --market-history-size is too small for this market',
      );
  }

  #diskFailed({ code, hint, message }: AgentError): void {
    // What was written is not known: it is read again.
    this.#open = undefined;
    this.#etag = undefined;
    if (this.#problems.isNew(code, 'disk'))
      this.#deps.log.warn(
        { event: 'market-history-failed', code, hint },
        `the market is not recorded for now, jobs go on: ${message}`,
      );
  }
}

function* eachOnce(lists: readonly (readonly Run[])[]): Generator<void, readonly Run[]> {
  const runs = new Map<string, Run>();
  for (const list of lists)
    for (const run of list) {
      runs.set(run.uuid, run);
      yield;
    }
  return [...runs.values()];
}

/** A token that the offers' polls may use, too many requests, or an address that is not for everybody. */
const REFUSAL_CODES: ReadonlySet<string> = new Set([
  'BROKER_UNAUTHORIZED',
  'BROKER_REFUSED',
  'BROKER_NOT_FOUND',
  'BROKER_UNAVAILABLE',
]);
