import PQueue from 'p-queue';
import { asAgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ImageInfo, OpenRun, Run } from '../../domain/run.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { LIMITS } from '../../limits.ts';
import { isOnceWaiting, RETRY, type RetryPolicy } from '../retry/policies.ts';
import { waitAfter } from '../retry/retry.ts';
import type { FunctionCode } from './function-code.ts';
import { type LookUps, type Resolution, resolveRun } from './resolve-run.ts';

const CONCURRENCY = 4;

export type RunResolverDeps = {
  readonly broker: Pick<Broker, 'image'>;
  readonly functionCode: Pick<FunctionCode, 'find'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
  readonly random: () => number;
  readonly signal: AbortSignal;
};

/**
 * Resolves runs in the background, a few at a time, once for all offers of the agent. A run is remembered as long as
 * one of the offers retains it, so a function that changes counts for the runs that come after.
 */
export class RunResolver {
  /** Notified whenever a run was resolved or has failed. */
  readonly changed = new Notifier();
  readonly #deps: RunResolverDeps;
  readonly #resolved = new Map<string, Resolution>();
  /** The policy of the last failure of each run. */
  readonly #failed: BackoffMap<RetryPolicy>;
  /** The changes in a row of each run's function. */
  readonly #changes: BackoffMap<RetryPolicy>;
  readonly #underWay = new Set<string>();
  readonly #images = new Map<string, ImageInfo>();
  readonly #imageCalls = new SingleFlight<ImageInfo | undefined>();
  readonly #queue = new PQueue({ concurrency: CONCURRENCY });
  /** The runs on the market of each offer, by the offer's key. */
  readonly #retained = new Map<string, ReadonlySet<string>>();

  constructor(deps: RunResolverDeps) {
    this.#deps = deps;
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
    this.#changes = new BackoffMap(() => deps.clock.monotonic());
  }

  /** The run with what is known of its function and image. */
  open(run: Run): OpenRun {
    const found = this.#resolved.get(run.uuid);
    if (found?.kind !== 'resolved') return { run, function: undefined, image: undefined };
    return { run, function: found.function, image: found.image };
  }

  /** Whether the run was resolved and its function cannot be run, which stays so. */
  invalid(runUuid: string): boolean {
    return this.#resolved.get(runUuid)?.kind === 'invalid';
  }

  /** Whether a run is being resolved, or `start --once` waits for the next try. */
  get busy(): boolean {
    return this.#underWay.size > 0 || [this.#failed, this.#changes].some(isOnceWaiting);
  }

  /** When the next run that waits may be resolved again; Infinity where none does. */
  get nextRetryAt(): number {
    return Math.min(this.#failed.nextRetryAt, this.#changes.nextRetryAt);
  }

  /** Resolves the run in the background, unless that failed a moment ago; returns whether it is under way. */
  resolve(run: Run): boolean {
    if (this.#underWay.has(run.uuid)) return true;
    const isWaiting = [this.#failed, this.#changes].some((map) => map.waitingFor(run.uuid) !== undefined);
    if (this.#resolved.has(run.uuid) || isWaiting) return false;
    this.#underWay.add(run.uuid);
    void this.#queue.add(() => this.#resolve(run));
    return true;
  }

  /** Resolves a run again: its function has changed. After the second change in a row the run waits first. */
  resolveAgain(runUuid: string): void {
    if (this.#resolved.delete(runUuid)) this.#countChange(runUuid);
    this.changed.notify();
  }

  /** The function of a run is as it was when the run was resolved. */
  unchanged(runUuid: string): void {
    this.#changes.clear(runUuid);
  }

  /** Makes every failed run due: there is a new token, or the host has slept. */
  retryNow(): void {
    this.#failed.retain(() => false);
  }

  /** Says which runs an offer has on its market; forgets those that no offer has. */
  retain(offerKey: string, runs: ReadonlySet<string>): void {
    this.#retained.set(offerKey, runs);
    const kept = [...this.#retained.values()];
    const isRetained = (run: string): boolean => kept.some((one) => one.has(run));
    for (const run of this.#resolved.keys()) if (!isRetained(run)) this.#resolved.delete(run);
    this.#failed.retain(isRetained);
    this.#changes.retain(isRetained);
  }

  async #resolve(run: Run): Promise<void> {
    const { log, signal } = this.#deps;
    const lookUps: LookUps = {
      function: (uuid) => this.#deps.functionCode.find(uuid, signal),
      image: (uuid) => this.#image(uuid),
    };
    try {
      const found = await resolveRun(lookUps, run, signal);
      this.#resolved.set(run.uuid, found);
      this.#failed.clear(run.uuid);
      if (found.kind === 'invalid')
        log.warn(
          { event: 'run-invalid', run: run.uuid },
          `run skipped, its function cannot be run: ${found.why}`,
        );
    } catch (thrown) {
      if (!signal.aborted) this.#fail(run.uuid, thrown);
    } finally {
      this.#underWay.delete(run.uuid);
      this.changed.notify();
    }
  }

  #countChange(run: string): void {
    const { log, random } = this.#deps;
    const { failures, waitMs } = this.#changes.fail(run, RETRY.lookUp, (changes) =>
      changes === 1 ? 0 : backoffMs(RETRY.lookUp, changes - 1, random),
    );
    if (failures === 1) return;
    const fields = { event: 'run-lookup-failed', run, code: 'BROKER_BAD_ANSWER', retryInMs: waitMs };
    const message = 'run not resolved: the broker’s answers about its function differ each time';
    log[failures === 2 ? 'warn' : 'debug'](fields, message);
  }

  #fail(run: string, thrown: unknown): void {
    const error = asAgentError(thrown);
    const { code, message } = error;
    const policy = code === 'BROKER_NOT_FOUND' ? RETRY.lookUpNotFound : RETRY.lookUp;
    const { failures, waitMs } = this.#failed.fail(run, policy, (attempt) =>
      waitAfter(error, policy, attempt, this.#deps.random),
    );
    const level = failures === 1 ? 'warn' : 'debug';
    const fields = { event: 'run-lookup-failed', run, code, retryInMs: waitMs };
    this.#deps.log[level](fields, `run not resolved: ${message}`);
  }

  async #image(uuid: string): Promise<ImageInfo | undefined> {
    const { broker, signal } = this.#deps;
    const known = this.#images.get(uuid);
    if (known !== undefined) return known;
    return this.#imageCalls.run(uuid, async () => {
      const image = await broker.image(uuid, signal);
      if (this.#images.size >= LIMITS.broker.images.max) this.#images.clear();
      if (image !== undefined) this.#images.set(uuid, image);
      return image;
    });
  }
}
