import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { GpuReading } from '../../domain/gpu.ts';
import { nextPollMs } from '../../domain/gpu-cordon.ts';
import type { GpuProbe } from '../../domain/ports/gpu.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { VulnerabilityGate } from '../offers/vulnerability-gate.ts';
import type { GpuTenants } from './gpu-tenants.ts';

/** What a poll of the GPUs has shown: the GPUs, or why they cannot be probed. */
export type GpuSnapshot =
  | (GpuReading & {
      /** Uuids of the GPUs that no job or canary used while the probe ran. */
      readonly idle: ReadonlySet<string>;
    })
  | { readonly error: AgentError };

/** So many polls after an anomaly, they are as far apart as ever. */
const QUIET_POLLS = 10;

export type GpuPollerDeps = {
  readonly probe: GpuProbe;
  /** Undefined: the host's versions are not checked for known vulnerabilities. */
  readonly vulnerabilities: Pick<VulnerabilityGate, 'check'> | undefined;
  readonly tenants: GpuTenants;
  readonly onSnapshot: (snapshot: GpuSnapshot) => void;
  /** Whether a poll would wake GPUs that sleep; they are as they were. */
  readonly allAsleep: () => boolean;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/**
 * Probes the GPUs: every minute, sooner after an anomaly, and at once for callers that wait. The regular polls leave
 * GPUs asleep.
 */
export class GpuPoller {
  readonly #deps: GpuPollerDeps;
  readonly #anomaly = new Notifier();
  #sinceAnomaly = QUIET_POLLS;
  /** Whether the wait for the next poll is to begin again, and be shorter. */
  #isNew = false;
  #underWay: Promise<GpuSnapshot> | undefined;
  #next: Promise<GpuSnapshot> | undefined;

  constructor(deps: GpuPollerDeps) {
    this.#deps = deps;
  }

  /** Polls again and again until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#anomaly.wait(signal, nextPollMs(this.#sinceAnomaly));
      if (signal.aborted) return;
      if (this.#isNew) {
        this.#isNew = false;
        continue;
      }
      this.#sinceAnomaly += 1;
      if (!this.#deps.allAsleep()) await this.poll();
    }
  }

  /** The next polls come sooner. */
  reportAnomaly(): void {
    if (this.#sinceAnomaly === 0) return;
    this.#sinceAnomaly = 0;
    this.#isNew = true;
    this.#anomaly.notify();
  }

  /** A poll that begins after this call, shared by all who wait for one. Never rejects. */
  poll(): Promise<GpuSnapshot> {
    if (this.#underWay === undefined) {
      this.#underWay = this.#pollOnce().finally(() => {
        this.#underWay = undefined;
      });
      return this.#underWay;
    }
    this.#next ??= this.#underWay.then(() => {
      this.#next = undefined;
      return this.poll();
    });
    return this.#next;
  }

  async #pollOnce(): Promise<GpuSnapshot> {
    const { onSnapshot, signal } = this.#deps;
    const snapshot = await this.#snapshot();
    if (!signal.aborted) onSnapshot(snapshot);
    return snapshot;
  }

  async #snapshot(): Promise<GpuSnapshot> {
    const { probe, signal, tenants, vulnerabilities } = this.#deps;
    const before = tenants.versions;
    try {
      const { gpus, notices } = await probe.read(signal);
      const idle = new Set(gpus.map(({ uuid }) => uuid).filter((uuid) => tenants.wasIdle(uuid, before)));
      const refusal = await vulnerabilities?.check(gpus, signal);
      if (refusal === undefined) return { gpus, notices, idle };
      const refused = gpus.map((gpu) =>
        gpu.fault === undefined ? { ...gpu, fault: refusal.why, faultHint: refusal.hint } : gpu,
      );
      return { gpus: refused, notices, idle };
    } catch (thrown) {
      await vulnerabilities?.check([], signal);
      return { error: asAgentError(thrown) };
    }
  }
}
