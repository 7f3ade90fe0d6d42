import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { JobNetwork, ProbeTargets } from '../../domain/jobs-network.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { IsolatedNetwork } from '../../domain/ports/network.ts';
import type { InternalJobDeps } from '../jobs/internal-job.ts';
import { type FailedVerification, FailedVerifications } from './failed-verifications.ts';
import { type ProbeImage, runIsolationProbe } from './isolation-probe.ts';

/** A proof is believed this long, as long as the engine stays; a job that comes after the half of it has it renewed. */
const PROOF_HOLDS_MS = 600_000;
/** How often the network may become another while a job waits for its proof. */
const CHANGES = 2;

export type NetworkSelectorDeps = InternalJobDeps & {
  /** What the owner wants jobs to have. */
  readonly wanted: JobNetwork;
  /** Undefined where the runtime has none. */
  readonly isolated: IsolatedNetwork | undefined;
  readonly clock: Clock;
};

/** That a probeTargets was met; void once the engine that it was met at has gone. */
type Proof = {
  readonly of: string;
  readonly until: number;
  /** Aborted when that engine has gone, and when another proof is in this one's place. */
  readonly watch: AbortController;
};

/** How a probe ended: one of both. */
type Tried = { readonly proof: Proof } | { readonly failed: FailedVerification };

/** Says which network a job gets. The isolated one only while it is proved that it is isolated, else none. */
export class NetworkSelector {
  readonly #deps: NetworkSelectorDeps;
  readonly #failed: FailedVerifications;
  #verification: Proof | undefined;
  /** Probes under way, by their image. */
  readonly #verifying = new Map<string, Promise<Tried>>();
  /** What was last said about it. */
  #reported: string | undefined;

  constructor(deps: NetworkSelectorDeps) {
    this.#deps = deps;
    this.#failed = new FailedVerifications(deps.clock);
  }

  /** The network for a job whose image this is. Never throws: what cannot be proved is none. */
  async networkFor(image: ProbeImage): Promise<JobNetwork> {
    const { detach, isolated, wanted } = this.#deps;
    if (wanted === 'bridge') this.#warnOfBridge();
    if (wanted !== 'isolated') return wanted;
    if (isolated === undefined) return 'none';
    try {
      await this.#verify(isolated, image);
      this.#report(undefined);
      return 'isolated';
    } catch (thrown) {
      if (!detach.aborted) this.#report(asAgentError(thrown));
      return 'none';
    }
  }

  /** Resolves where the network as it is now is proved to be isolated. Throws why it is not. */
  async #verify(isolated: IsolatedNetwork, image: ProbeImage): Promise<void> {
    for (let changes = 0; changes < CHANGES; changes += 1) {
      const probeTargets = await isolated.probeTargets(this.#deps.detach);
      const tried = await this.#tryOrHeld(isolated, probeTargets, image);
      if ('failed' in tried) throw tried.failed.why;
      const { of, watch } = tried.proof;
      // A proof that was under way may be of another network, or of an engine that has gone since.
      if (of === essenceOf(probeTargets) && !watch.signal.aborted) return;
    }
    throw new AgentError('NETWORK_NOT_READY', 'it changes while it is being proved');
  }

  async #tryOrHeld(isolated: IsolatedNetwork, probeTargets: ProbeTargets, image: ProbeImage): Promise<Tried> {
    const of = essenceOf(probeTargets);
    const failed = this.#failed.of(image.id, of);
    const proof = this.#held(of);
    if (failed?.open === true || (failed !== undefined && proof === undefined)) return { failed };
    if (proof === undefined) return this.#share(isolated, probeTargets, image);
    // No job waits for the next proof while the last one holds.
    const late = this.#deps.clock.monotonic() > proof.until - PROOF_HOLDS_MS / 2;
    if (late && failed === undefined && this.#verifying.size === 0)
      void this.#verifyOnce(isolated, probeTargets, image).catch(() => undefined);
    return { proof };
  }

  #held(of: string): Proof | undefined {
    const proof = this.#verification;
    const holds = proof?.of === of && !proof.watch.signal.aborted;
    return holds && this.#deps.clock.monotonic() < proof.until ? proof : undefined;
  }

  /** A proof that is under way serves all who ask; the failure of one says nothing of any image but its own. */
  async #share(isolated: IsolatedNetwork, probeTargets: ProbeTargets, image: ProbeImage): Promise<Tried> {
    const [first] = this.#verifying;
    if (first !== undefined && !this.#verifying.has(image.id)) {
      const tried = await first[1];
      if ('proof' in tried) return tried;
    }
    return this.#verifyOnce(isolated, probeTargets, image);
  }

  #verifyOnce(isolated: IsolatedNetwork, probeTargets: ProbeTargets, image: ProbeImage): Promise<Tried> {
    const underWay = this.#verifying.get(image.id);
    if (underWay !== undefined) return underWay;
    const proving = this.#prove(isolated, probeTargets, image).finally(() => {
      this.#verifying.delete(image.id);
    });
    this.#verifying.set(image.id, proving);
    return proving;
  }

  async #prove(isolated: IsolatedNetwork, probeTargets: ProbeTargets, image: ProbeImage): Promise<Tried> {
    const { clock, detach } = this.#deps;
    const of = essenceOf(probeTargets);
    const watch = new AbortController();
    const { gone } = await isolated.watchEngine(AbortSignal.any([detach, watch.signal]));
    void gone.then(() => watch.abort());
    const failed = await this.#failure(probeTargets, image);
    if (failed === undefined) {
      this.#failed.forget(image.id);
      this.#verification?.watch.abort();
      this.#verification = { of, until: clock.monotonic() + PROOF_HOLDS_MS, watch };
      return { proof: this.#verification };
    }
    // An engine that went has failed the probe, not its image.
    if (!watch.signal.aborted) this.#failed.add(image.id, failed);
    if (this.#verification?.of === of && this.#failed.agree(of)) {
      this.#verification.watch.abort();
      this.#verification = undefined;
    }
    watch.abort();
    return { failed };
  }

  async #failure(probeTargets: ProbeTargets, image: ProbeImage): Promise<FailedVerification | undefined> {
    const of = essenceOf(probeTargets);
    try {
      const found = await runIsolationProbe(this.#deps, image, probeTargets, this.#deps.detach);
      if (found === undefined) return undefined;
      const why = new AgentError('NETWORK_NOT_READY', `it is not isolated: ${found}`, {
        hint: 'sudo sharedcloud-agent network up, and see what sudo sharedcloud-agent network status says',
      });
      return { of, why, open: true };
    } catch (thrown) {
      const error = asAgentError(thrown);
      const why = new AgentError(error.code, `the probe of it cannot be run: ${error.message}`, {
        cause: thrown,
        ...(error.hint !== undefined && { hint: error.hint }),
      });
      return { of, why, open: false };
    }
  }

  #warnOfBridge(): void {
    if (this.#reported !== undefined) return;
    this.#reported = 'bridge';
    const hint = 'leave --job-network at isolated, unless you trust every job';
    this.#deps.log.warn({ hint }, 'jobs reach this host and its network, as --job-network bridge says');
  }

  /** Says it once, until it changes. */
  #report(error: AgentError | undefined): void {
    const said = error === undefined ? 'proved' : `${error.code}: ${error.message}`;
    if (said === this.#reported) return;
    this.#reported = said;
    const { log } = this.#deps;
    if (error === undefined) log.info({}, 'the jobs’ network is proved to be isolated');
    else
      log.warn(
        { code: error.code, hint: error.hint },
        `jobs get no network: the jobs’ network cannot be relied on: ${error.message}`,
      );
  }
}

/** Addresses of this host come and go; the rules that keep all of them closed are vouched for by the ruleTargets. */
const essenceOf = ({ refused }: ProbeTargets): string => JSON.stringify(refused);
