import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';
import { RETRY } from '../retry/policies.ts';
import { HealthCheck } from './health-check.ts';
import { instrumentFiles, instrumentJournal, instrumentRuntime } from './instrumented-ports.ts';
import type { AdmissionCheck } from './resource-checks.ts';

/** An engine that was heard of so lately is not asked again before a claim. */
const ENGINE_FRESH_MS = 250;

/** While jobs run, the engine is asked this often whether it is there. */
const ENGINE_BEAT_MS = 1_000;

/** What the disk denied is tried again at least this often (see RETRY.stateDirWrite), with a margin. */
const DISK_CALM_MS = 2_500;

/** While claims are held, the questions are asked again this often. */
const ASK_EVERY_MS = 1_000;

export type AdmissionControlDeps = {
  readonly runtime: Runtime;
  readonly journal: Journal;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** What this host is asked before every claim. */
  readonly questions: readonly AdmissionCheck[];
  /** Whether jobs run here: then the engine is watched, so that no outage passes unseen. */
  readonly busy: () => boolean;
  /** Called when nothing holds claims any more. */
  readonly onLift: () => void;
  /** Called when the engine answers again. */
  readonly onEngineBack: () => void;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/** The ports to work with, so that the holds hear how the calls go. */
export type InstrumentedPorts = {
  readonly runtime: Runtime;
  readonly journal: Journal;
  readonly files: JobFiles;
};

/** All that holds claims back on this host: its disks and memory, the engine, the state directory. */
export class AdmissionControl {
  readonly ports: InstrumentedPorts;
  readonly #deps: AdmissionControlDeps;
  readonly #engine: HealthCheck;
  readonly #stateDir: HealthCheck;
  readonly #blockers = new Set<string>();
  readonly #wake = new Notifier();

  constructor(deps: AdmissionControlDeps) {
    const { busy, clock, files, journal, onEngineBack, random, runtime, signal } = deps;
    this.#deps = deps;
    const onChange = (): void => void this.blockedBy();
    this.#engine = new HealthCheck({
      check: () => runtime.ping(signal),
      maxAgeMs: ENGINE_FRESH_MS,
      intervalMs: ENGINE_BEAT_MS,
      cooldownMs: 0,
      again: RETRY.engineCheck,
      inUse: busy,
      signal,
      clock,
      random,
      onChange,
      onBack: onEngineBack,
    });
    this.#stateDir = new HealthCheck({
      check: async () => {
        journal.tryWriting();
        await files.tryWriting();
      },
      maxAgeMs: Number.POSITIVE_INFINITY,
      intervalMs: undefined,
      cooldownMs: DISK_CALM_MS,
      again: RETRY.stateDirWrite,
      inUse: () => false,
      signal,
      clock,
      random,
      onChange,
      onBack: () => undefined,
    });
    this.ports = {
      runtime: instrumentRuntime(runtime, this.#engine),
      journal: instrumentJournal(journal, this.#stateDir),
      files: instrumentFiles(files, this.#stateDir),
    };
  }

  /** Why nothing may be claimed now, all reasons in one line; undefined: go on. Tells when the reasons change. */
  blockedBy(): string | undefined {
    const reasons = new Map<string, string>();
    for (const { name, why } of this.#deps.questions) {
      const answer = why(this.#blockers.has(name));
      if (answer !== undefined) reasons.set(name, answer);
    }
    for (const { error, name } of this.#lost()) reasons.set(name, error.message);
    const words = [...reasons.values()].join('; ');
    this.#report(reasons, words);
    return reasons.size === 0 ? undefined : words;
  }

  /** Whether engine and state directory carry a claim, asked right before it; where not, `why` tells. */
  async isHealthy(): Promise<boolean> {
    const carry = await Promise.all([this.#engine.isHealthyNow(), this.#stateDir.isHealthyNow()]);
    return carry.every(Boolean);
  }

  /** Whether what has gone wrong since that moment of the monotonic clock is put down to engine or state directory. */
  async failedSince(since: number): Promise<boolean> {
    const gaveWay = await Promise.all([this.#engine.failedSince(since), this.#stateDir.failedSince(since)]);
    return gaveWay.some(Boolean);
  }

  /** What has been lost for longer than `ms`; undefined: nothing has. */
  unhealthyForLongerThan(ms: number): AgentError | undefined {
    return this.#lost().find(({ forMs }) => forMs > ms)?.error;
  }

  /** Whether something is lost that may come back by itself. */
  get recoverable(): boolean {
    return this.#lost().length > 0;
  }

  /** Looks after engine and state directory until the signal aborts, and lifts what holds no more. */
  async work(): Promise<void> {
    await Promise.all([this.#engine.work(), this.#stateDir.work(), this.#askAgain(this.#deps.signal)]);
  }

  async #askAgain(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#blockers.size === 0) await this.#wake.wait(signal);
      else if (await sleep(ASK_EVERY_MS, signal)) this.blockedBy();
    }
  }

  #lost(): readonly { readonly name: string; readonly error: AgentError; readonly forMs: number }[] {
    const footings = [
      { name: 'engine', footing: this.#engine },
      { name: 'state-dir', footing: this.#stateDir },
    ];
    return footings.flatMap(({ footing, name }) =>
      footing.error === undefined ? [] : [{ name, error: footing.error, forMs: footing.unhealthyForMs }],
    );
  }

  /** One line per change of what holds; figures in the words change all the time and are no change. */
  #report(reasons: ReadonlyMap<string, string>, words: string): void {
    const { log, onLift } = this.#deps;
    const same =
      reasons.size === this.#blockers.size && [...reasons.keys()].every((name) => this.#blockers.has(name));
    if (same) return;
    this.#blockers.clear();
    for (const name of reasons.keys()) this.#blockers.add(name);
    if (reasons.size > 0) {
      const hints = this.#lost().flatMap(({ error }) => error.hint ?? []);
      const hint = hints.length === 0 ? {} : { hint: hints.join('; ') };
      const fields = { event: 'claiming-paused', blockedBy: [...reasons.keys()], ...hint };
      log.warn(fields, `claiming paused: ${words}`);
      this.#wake.notify();
    } else {
      log.info({ event: 'claiming-resumed' }, 'claiming resumed');
      onLift();
    }
  }
}
