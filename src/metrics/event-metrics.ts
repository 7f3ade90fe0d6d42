import type { AgentEvent } from '../agent/events/events.ts';
import { EVICTION_REASONS } from '../domain/image-eviction.ts';
import { type MetricValues, single, valuesOf } from './metric.ts';
import { Counter, Histogram } from './series.ts';
import { METRICS } from './table.ts';

/** Answers to a claim; see `_claims_total`. */
const CLAIM_RESULTS = ['claimed', 'lost', 'underbid', 'gone', 'unanswered'] as const;

/** What may keep this host from claiming; see the checks of admission. */
const CLAIM_CHECKS = [
  'engine',
  'containers',
  'state-dir',
  'disk',
  'files',
  'memory',
  'reserve',
  'orphans',
] as const;

/** Those without which no container can be run. */
const ENGINE_CHECKS: readonly string[] = ['engine', 'containers'];

/** Counts events from the start of the agent on, whether anybody scrapes or not. */
export class EventMetrics {
  readonly #claims = new Counter(METRICS.claims);
  readonly #events = new Counter(METRICS.events);
  readonly #imageFailures = new Counter(METRICS.imageFailures);
  readonly #evictions = new Counter(METRICS.imageEvictions);
  readonly #evictedBytes = new Counter(METRICS.imageEvictedBytes);
  readonly #jobDuration = new Histogram(METRICS.jobDuration);
  readonly #reclaimDuration = new Histogram(METRICS.reclaimDuration);
  readonly #imagePull = new Histogram(METRICS.imagePull);
  #blockedBy: ReadonlySet<string> = new Set();

  constructor() {
    // So that the first eviction is an increase that a query sees.
    for (const reason of Object.keys(EVICTION_REASONS)) this.#evictions.add({ reason }, 0);
    this.#evictedBytes.add({}, 0);
  }

  readonly observe = (event: AgentEvent): void => {
    this.#events.add({ event: event.kind });
    switch (event.kind) {
      case 'offer-registered':
        // So that the first claim is an increase that a query sees.
        for (const result of CLAIM_RESULTS) this.#claims.add({ offer: event.offer.key, result }, 0);
        break;
      case 'job-claimed':
        this.#claims.add({ offer: event.offer.key, result: 'claimed' });
        break;
      case 'claim-rejected':
        this.#claims.add({ offer: event.offer.key, result: event.why });
        break;
      case 'claim-unanswered':
        this.#claims.add({ offer: event.offer.key, result: 'unanswered' });
        break;
      case 'job-ended':
        this.#jobDuration.observe({}, event.durationMs / 1_000);
        break;
      case 'reclaim-ended':
        this.#reclaimDuration.observe({}, event.tookMs / 1_000);
        break;
      case 'image-ready':
        this.#imagePull.observe({}, event.tookMs / 1_000);
        break;
      case 'image-failed':
        this.#imageFailures.add({ code: event.code });
        break;
      case 'image-evicted':
        this.#evictions.add({ reason: event.reason });
        this.#evictedBytes.add({}, event.freedBytes);
        break;
      case 'claiming-paused':
        this.#blockedBy = new Set(event.blockedBy);
        break;
      case 'claiming-resumed':
        this.#blockedBy = new Set();
        break;
      default:
        break;
    }
  };

  get values(): readonly MetricValues[] {
    const checks = new Set([...CLAIM_CHECKS, ...this.#blockedBy]);
    const isEngineUp = !ENGINE_CHECKS.some((check) => this.#blockedBy.has(check));
    return [
      this.#jobDuration.values,
      this.#claims.values,
      valuesOf(
        METRICS.claimsBlocked,
        [...checks].map((check) => [{ check }, Number(this.#blockedBy.has(check))]),
      ),
      this.#reclaimDuration.values,
      this.#imagePull.values,
      this.#imageFailures.values,
      this.#evictions.values,
      this.#evictedBytes.values,
      single(METRICS.engineUp, Number(isEngineUp)),
      this.#events.values,
    ];
  }
}
