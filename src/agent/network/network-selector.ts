import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { JobNetwork, NetworkChallenge } from '../../domain/jobs-network.ts';
import type { Clock, IsolatedNetwork } from '../../domain/ports.ts';
import type { OwnFunctionDeps } from '../jobs/internal-job.ts';
import { type FailedProof, FailedProofs } from './failed-verifications.ts';
import { type ProbeImage, probeNetwork } from './isolation-probe.ts';

/** A proof is believed this long, as long as the engine stays; a job that comes after the half of it has it renewed. */
const PROOF_HOLDS_MS = 600_000;
/** How often the network may become another while a job waits for its proof. */
const CHANGES = 2;

export type JobNetworksDeps = OwnFunctionDeps & {
  /** What the owner wants jobs to have. */
  readonly wanted: JobNetwork;
  /** Undefined where the runtime has none. */
  readonly isolated: IsolatedNetwork | undefined;
  readonly clock: Clock;
};

/** That a challenge was met; void once the engine that it was met at has gone. */
type Proof = {
  readonly of: string;
  readonly until: number;
  /** Aborted when that engine has gone, and when another proof is in this one's place. */
  readonly watch: AbortController;
};

/** How a probe ended: one of both. */
type Tried = { readonly proof: Proof } | { readonly failed: FailedProof };

/** Says which network a job gets. The isolated one only while it is proved that it is isolated, else none. */
export class JobNetworks {
  readonly #deps: JobNetworksDeps;
  readonly #failed: FailedProofs;
  #proof: Proof | undefined;
  /** Probes under way, by their image. */
  readonly #proving = new Map<string, Promise<Tried>>();
  /** What was last said about it. */
  #said: string | undefined;

  constructor(deps: JobNetworksDeps) {
    this.#deps = deps;
    this.#failed = new FailedProofs(deps.clock);
  }

  /** The network for a job whose image this is. Never throws: what cannot be proved is none. */
  async forJob(image: ProbeImage): Promise<JobNetwork> {
    const { detach, isolated, wanted } = this.#deps;
    if (wanted === 'bridge') this.#warnOfBridge();
    if (wanted !== 'isolated') return wanted;
    if (isolated === undefined) return 'none';
    try {
      await this.#seeProved(isolated, image);
      this.#say(undefined);
      return 'isolated';
    } catch (thrown) {
      if (!detach.aborted) this.#say(asAgentError(thrown));
      return 'none';
    }
  }

  /** Resolves where the network as it is now is proved to be isolated. Throws why it is not. */
  async #seeProved(isolated: IsolatedNetwork, image: ProbeImage): Promise<void> {
    for (let changes = 0; changes < CHANGES; changes += 1) {
      const challenge = await isolated.challenge(this.#deps.detach);
      const tried = await this.#tryOrHeld(isolated, challenge, image);
      if ('failed' in tried) throw tried.failed.why;
      const { of, watch } = tried.proof;
      // A proof that was under way may be of another network, or of an engine that has gone since.
      if (of === essenceOf(challenge) && !watch.signal.aborted) return;
    }
    throw new AgentError('NETWORK_NOT_READY', 'it changes while it is being proved');
  }

  async #tryOrHeld(
    isolated: IsolatedNetwork,
    challenge: NetworkChallenge,
    image: ProbeImage,
  ): Promise<Tried> {
    const of = essenceOf(challenge);
    const failed = this.#failed.of(image.id, of);
    const proof = this.#held(of);
    if (failed?.open === true || (failed !== undefined && proof === undefined)) return { failed };
    if (proof === undefined) return this.#share(isolated, challenge, image);
    // No job waits for the next proof while the last one holds.
    const late = this.#deps.clock.monotonic() > proof.until - PROOF_HOLDS_MS / 2;
    if (late && failed === undefined && this.#proving.size === 0)
      void this.#proveOnce(isolated, challenge, image).catch(() => undefined);
    return { proof };
  }

  #held(of: string): Proof | undefined {
    const proof = this.#proof;
    const holds = proof?.of === of && !proof.watch.signal.aborted;
    return holds && this.#deps.clock.monotonic() < proof.until ? proof : undefined;
  }

  /** A proof that is under way serves all who ask; the failure of one says nothing of any image but its own. */
  async #share(isolated: IsolatedNetwork, challenge: NetworkChallenge, image: ProbeImage): Promise<Tried> {
    const [first] = this.#proving;
    if (first !== undefined && !this.#proving.has(image.id)) {
      const tried = await first[1];
      if ('proof' in tried) return tried;
    }
    return this.#proveOnce(isolated, challenge, image);
  }

  #proveOnce(isolated: IsolatedNetwork, challenge: NetworkChallenge, image: ProbeImage): Promise<Tried> {
    const underWay = this.#proving.get(image.id);
    if (underWay !== undefined) return underWay;
    const proving = this.#prove(isolated, challenge, image).finally(() => {
      this.#proving.delete(image.id);
    });
    this.#proving.set(image.id, proving);
    return proving;
  }

  async #prove(isolated: IsolatedNetwork, challenge: NetworkChallenge, image: ProbeImage): Promise<Tried> {
    const { clock, detach } = this.#deps;
    const of = essenceOf(challenge);
    const watch = new AbortController();
    const { gone } = await isolated.watchEngine(AbortSignal.any([detach, watch.signal]));
    void gone.then(() => watch.abort());
    const failed = await this.#failure(challenge, image);
    if (failed === undefined) {
      this.#failed.forget(image.id);
      this.#proof?.watch.abort();
      this.#proof = { of, until: clock.monotonic() + PROOF_HOLDS_MS, watch };
      return { proof: this.#proof };
    }
    // An engine that went has failed the probe, not its image.
    if (!watch.signal.aborted) this.#failed.add(image.id, failed);
    if (this.#proof?.of === of && this.#failed.agree(of)) {
      this.#proof.watch.abort();
      this.#proof = undefined;
    }
    watch.abort();
    return { failed };
  }

  async #failure(challenge: NetworkChallenge, image: ProbeImage): Promise<FailedProof | undefined> {
    const of = essenceOf(challenge);
    try {
      const found = await probeNetwork(this.#deps, image, challenge, this.#deps.detach);
      if (found === undefined) return undefined;
      const why = new AgentError('NETWORK_NOT_READY', `it is not isolated: ${found}`, {
        mend: 'sudo sharedcloud-agent network up, and see what sudo sharedcloud-agent network status says',
      });
      return { of, why, open: true };
    } catch (thrown) {
      const error = asAgentError(thrown);
      const why = new AgentError(error.code, `the probe of it cannot be run: ${error.message}`, {
        cause: thrown,
        ...(error.mend !== undefined && { mend: error.mend }),
      });
      return { of, why, open: false };
    }
  }

  #warnOfBridge(): void {
    if (this.#said !== undefined) return;
    this.#said = 'bridge';
    const mend = 'leave --job-network at isolated, unless you trust every job';
    this.#deps.log.warn({ mend }, 'jobs reach this host and its network, as --job-network bridge says');
  }

  /** Says it once, until it changes. */
  #say(error: AgentError | undefined): void {
    const said = error === undefined ? 'proved' : `${error.code}: ${error.message}`;
    if (said === this.#said) return;
    this.#said = said;
    const { log } = this.#deps;
    if (error === undefined) log.info({}, 'the jobs’ network is proved to be isolated');
    else
      log.warn(
        { code: error.code, mend: error.mend },
        `jobs get no network: the jobs’ network cannot be relied on: ${error.message}`,
      );
  }
}

/** Addresses of this host come and go; the rules that keep all of them closed are vouched for by the beacon. */
const essenceOf = ({ refused }: NetworkChallenge): string => JSON.stringify(refused);
