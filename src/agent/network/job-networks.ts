import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { JobNetwork, NetworkChallenge } from '../../domain/jobs-network.ts';
import type { Clock, IsolatedNetwork } from '../../domain/ports.ts';
import type { OwnFunctionDeps } from '../own-function.ts';
import { type ProbeImage, probeNetwork } from './probe.ts';

/** A proof is believed this long, as long as the engine stays; a job that comes after the half of it has it renewed. */
const PROOF_HOLDS_MS = 600_000;
/** After a probe that proved nothing, jobs of that image go without a network this long before the next. */
const NEXT_TRY_MS = 60_000;
/** A host under load may answer late: only what is found twice is believed against the network. */
const TRIES = 2;

export type JobNetworksDeps = OwnFunctionDeps & {
  /** What the owner wants jobs to have. */
  readonly wanted: JobNetwork;
  /** Undefined where the runtime has none. */
  readonly isolated: IsolatedNetwork | undefined;
  readonly clock: Clock;
};

/** What was proved, or not, about one challenge; void once the engine that it was seen at has gone. */
type Proof = {
  readonly of: string;
  readonly until: number;
  readonly image: string;
  readonly why: AgentError | undefined;
  /** Aborted when that engine has gone, and when another proof is in this one's place. */
  readonly watch: AbortController;
};

/** Says which network a job gets. The isolated one only while it is proved that it is isolated, else none. */
export class JobNetworks {
  readonly #deps: JobNetworksDeps;
  #proof: Proof | undefined;
  #proving: Promise<Proof> | undefined;
  /** What was last said about it. */
  #said: string | undefined;

  constructor(deps: JobNetworksDeps) {
    this.#deps = deps;
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
    for (let changes = 0; changes < TRIES; changes += 1) {
      const challenge = await isolated.challenge(this.#deps.detach);
      const { of, watch, why } = await this.#proofOf(isolated, challenge, image);
      if (why !== undefined) throw why;
      // A proof that was under way may be of another network, or of an engine that has gone since.
      if (of === essenceOf(challenge) && !watch.signal.aborted) return;
    }
    throw new AgentError('NETWORK_NOT_READY', 'it changes while it is being proved');
  }

  async #proofOf(isolated: IsolatedNetwork, challenge: NetworkChallenge, image: ProbeImage): Promise<Proof> {
    const of = essenceOf(challenge);
    const held = this.#proof;
    const fresh = held?.of === of && !held.watch.signal.aborted && this.#deps.clock.monotonic() < held.until;
    if (fresh && held.why === undefined) {
      // No job waits for the next proof while the last one holds.
      if (this.#deps.clock.monotonic() > held.until - PROOF_HOLDS_MS / 2)
        void this.#proveOnce(isolated, challenge, of, image).catch(() => undefined);
      return held;
    }
    if (fresh && held.image === image.id) return held;
    return this.#proveOnce(isolated, challenge, of, image);
  }

  /** A proof that is under way, or a new one; all who ask share it. */
  #proveOnce(
    isolated: IsolatedNetwork,
    challenge: NetworkChallenge,
    of: string,
    image: ProbeImage,
  ): Promise<Proof> {
    this.#proving ??= this.#prove(isolated, challenge, of, image).finally(() => {
      this.#proving = undefined;
    });
    return this.#proving;
  }

  async #prove(
    isolated: IsolatedNetwork,
    challenge: NetworkChallenge,
    of: string,
    image: ProbeImage,
  ): Promise<Proof> {
    const { clock, detach } = this.#deps;
    const watch = new AbortController();
    const { gone } = await isolated.watchEngine(AbortSignal.any([detach, watch.signal]));
    void gone.then(() => watch.abort());
    const why = await this.#why(challenge, image);
    const holdsMs = why === undefined ? PROOF_HOLDS_MS : NEXT_TRY_MS;
    const proof = { of, image: image.id, why, until: clock.monotonic() + holdsMs, watch };
    this.#proof?.watch.abort();
    this.#proof = proof;
    return proof;
  }

  async #why(challenge: NetworkChallenge, image: ProbeImage): Promise<AgentError | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const why = await probeNetwork(this.#deps, image, challenge, this.#deps.detach);
        if (why === undefined) return undefined;
        if (attempt >= TRIES)
          return new AgentError('NETWORK_NOT_READY', `it is not isolated: ${why}`, {
            mend: 'sudo sharedcloud-agent network up, and see what sudo sharedcloud-agent network status says',
          });
      } catch (thrown) {
        const error = asAgentError(thrown);
        return new AgentError(error.code, `the probe of it cannot be run: ${error.message}`, {
          cause: thrown,
          ...(error.mend !== undefined && { mend: error.mend }),
        });
      }
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
