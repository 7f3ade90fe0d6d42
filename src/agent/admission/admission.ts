import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { EngineBinding } from './engine-binding.ts';
import type { EngineBreaker } from './engine-breaker.ts';
import { EngineLatency, SLOW_ENGINE_HINT } from './engine-latency.ts';
import { HealthCheck } from './health-check.ts';
import { instrumentFiles, instrumentJournal, instrumentRuntime } from './instrumented-ports.ts';
import type { AdmissionCheck } from './resource-checks.ts';
import { RunningContainers } from './running-containers.ts';

/** An engine that has answered this recently is not checked again before a claim. */
const ENGINE_FRESH_MS = 250;

/** How often the engine is checked while it is in use, so that no outage goes unnoticed. */
const ENGINE_INTERVAL_MS = 1_000;

/** Writes that the disk has refused are repeated at least this often (see RETRY.stateDirWrite), with a margin. */
const STATE_DIR_COOLDOWN_MS = 2_500;

/** How often the checks are repeated while claiming is paused. */
const RECHECK_MS = 1_000;

/** Why this host can claim no job, and what its owner can do about it. */
export type Problem = { readonly why: string; readonly hint: string | undefined };

/** At the start, for a moment. */
export const UNTESTED: Problem = {
  why: 'no test container has passed yet',
  hint: 'wait a moment; if it lasts, run `sharedcloud-agent check`, which tries one and shows the engine’s words',
};

export type AdmissionControlDeps = {
  readonly runtime: Runtime;
  readonly journal: Journal;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observer;
  readonly breaker: EngineBreaker;
  /** What is checked before every claim. */
  readonly checks: readonly AdmissionCheck[];
  /** Whether none of these containers runs on this machine; false: not known. */
  readonly noneRuns: (containers: readonly string[]) => boolean;
  /** Whether an outage of the engine has to be noticed at once. */
  readonly busy: () => boolean;
  /** Notified when nothing blocks claiming any more. */
  readonly resumed: Notifier;
  /** Notified when the engine answers again. */
  readonly engineRecovered: Notifier;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/** Ports whose calls show whether engine and state directory are healthy. */
export type InstrumentedPorts = {
  readonly runtime: Runtime;
  readonly journal: Journal;
  readonly files: JobFiles;
};

/** Decides whether jobs may be claimed now: by engine, state directory, disks and memory. */
export class AdmissionControl {
  readonly ports: InstrumentedPorts;
  /** For test containers, which say nothing about whether the engine answers; only their calls are timed. */
  readonly testRuntime: Runtime;
  /** The agent's containers that run now. */
  readonly containers = new RunningContainers();
  readonly #deps: AdmissionControlDeps;
  /** Whether the engine can run jobs. */
  readonly breaker: EngineBreaker;
  readonly #latency: EngineLatency;
  readonly #engine: HealthCheck;
  readonly #stateDir: HealthCheck;
  readonly #blockers = new Set<string>();
  readonly #paused = new Notifier();

  constructor(deps: AdmissionControlDeps) {
    const { busy, clock, engineRecovered, files, journal, random, runtime, signal } = deps;
    this.#deps = deps;
    this.#latency = new EngineLatency(deps);
    this.breaker = deps.breaker;
    const onChange = (): void => void this.blockedBy();
    const binding = new EngineBinding(deps);
    this.#engine = new HealthCheck({
      check: async () => {
        try {
          await this.#latency.time('ping', runtime.ping(signal));
        } catch (thrown) {
          binding.doubt();
          throw thrown;
        }
        await binding.confirmIfDoubtful();
      },
      maxAgeMs: ENGINE_FRESH_MS,
      intervalMs: ENGINE_INTERVAL_MS,
      cooldownMs: 0,
      again: RETRY.engineCheck,
      inUse: busy,
      signal,
      clock,
      random,
      onChange,
      onBack: () => engineRecovered.notify(),
    });
    this.#stateDir = new HealthCheck({
      check: async () => {
        journal.tryWriting();
        await files.tryWriting();
      },
      maxAgeMs: Number.POSITIVE_INFINITY,
      intervalMs: undefined,
      cooldownMs: STATE_DIR_COOLDOWN_MS,
      again: RETRY.stateDirWrite,
      inUse: () => false,
      signal,
      clock,
      random,
      onChange,
      onBack: () => undefined,
    });
    const engine = {
      recordFailure: (error: AgentError): void => {
        binding.doubt();
        this.#engine.recordFailure(error);
      },
      recordSuccess: (): void => this.#engine.recordSuccess(),
    };
    this.ports = {
      runtime: instrumentRuntime(runtime, {
        health: engine,
        binding,
        latency: this.#latency,
        containers: this.containers,
      }),
      journal: instrumentJournal(journal, this.#stateDir),
      files: instrumentFiles(files, this.#stateDir),
    };
    this.testRuntime = instrumentRuntime(runtime, { latency: this.#latency, containers: this.containers });
  }

  /** Why nothing may be claimed now, all reasons in one line; undefined: claim. Logs when the reasons change. */
  blockedBy(): string | undefined {
    const reasons = new Map<string, string>();
    for (const { name, why } of this.#deps.checks) {
      const answer = why(this.#blockers.has(name));
      if (answer !== undefined) reasons.set(name, answer);
    }
    for (const { error, name } of this.#unhealthy()) reasons.set(name, error.message);
    const words = [...reasons.values()].join('; ');
    this.#logChange(reasons, words);
    return reasons.size === 0 ? undefined : words;
  }

  /** Whether engine and state directory are healthy, checked right before a claim; if not, `blockedBy` says why. */
  async isHealthy(): Promise<boolean> {
    const healthy = await Promise.all([this.#engine.isHealthyNow(), this.#stateDir.isHealthyNow()]);
    return healthy.every(Boolean);
  }

  /** Whether engine or state directory have failed since then, by the monotonic clock. */
  async failedSince(since: number): Promise<boolean> {
    const failed = await Promise.all([this.#engine.failedSince(since), this.#stateDir.failedSince(since)]);
    return failed.some(Boolean);
  }

  /** Why nothing may be claimed now, and what the owner can do about it; undefined: claims may go on. */
  problem(): Problem | undefined {
    const why = this.blockedBy();
    if (why !== undefined) return { why, hint: this.#hint() };
    return this.breaker.isOpen ? UNTESTED : undefined;
  }

  /** What makes jobs slow here, and what the owner can do about it; undefined: nothing does. Claims go on. */
  degraded(): Problem | undefined {
    const why = this.#latency.degraded;
    return why === undefined ? undefined : { why, hint: SLOW_ENGINE_HINT };
  }

  /** Why engine or state directory have been unhealthy for longer than `ms`; undefined: they have not. */
  unhealthyForLongerThan(ms: number): AgentError | undefined {
    return this.#unhealthy().find(({ forMs }) => forMs > ms)?.error;
  }

  /** Whether engine or state directory are unhealthy, which may end by itself. */
  get recoverable(): boolean {
    return this.#unhealthy().length > 0;
  }

  /** Checks engine and state directory until the signal aborts, and resumes claiming once nothing blocks it. */
  async work(): Promise<void> {
    await Promise.all([this.#engine.work(), this.#stateDir.work(), this.#recheck(this.#deps.signal)]);
  }

  async #recheck(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#blockers.size === 0) await this.#paused.wait(signal);
      else if (await sleep(RECHECK_MS, signal)) this.blockedBy();
    }
  }

  #hint(): string | undefined {
    const hints = this.#unhealthy().flatMap(({ error }) => error.hint ?? []);
    return hints.length === 0 ? undefined : hints.join('; ');
  }

  #unhealthy(): readonly { readonly name: string; readonly error: AgentError; readonly forMs: number }[] {
    const checks = [
      { name: 'engine', check: this.#engine },
      { name: 'state-dir', check: this.#stateDir },
    ];
    const { problem, problemForMs } = this.breaker;
    const failed = problem === undefined ? [] : [{ name: 'containers', error: problem, forMs: problemForMs }];
    const unhealthy = checks.flatMap(({ check: { error, unhealthyForMs }, name }) =>
      error === undefined ? [] : [{ name, error, forMs: unhealthyForMs }],
    );
    return [...unhealthy, ...failed];
  }

  /** One line per change of the reasons; the figures in their words change all the time. */
  #logChange(reasons: ReadonlyMap<string, string>, words: string): void {
    const { observe, resumed } = this.#deps;
    const same =
      reasons.size === this.#blockers.size && [...reasons.keys()].every((name) => this.#blockers.has(name));
    if (same) return;
    this.#blockers.clear();
    for (const name of reasons.keys()) this.#blockers.add(name);
    if (reasons.size > 0) {
      observe({ kind: 'claiming-paused', blockedBy: [...reasons.keys()], why: words, hint: this.#hint() });
      this.#paused.notify();
    } else {
      observe({ kind: 'claiming-resumed' });
      resumed.notify();
    }
  }
}
