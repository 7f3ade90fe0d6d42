import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { JobNetwork, ProbeTargets } from '../../domain/jobs-network.ts';
import type { IsolatedNetwork } from '../../domain/ports/network.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import type { InternalJobDeps } from '../jobs/internal-job.ts';
import { RETRY } from '../retry/policies.ts';
import { type ProbeImage, runIsolationProbe } from './isolation-probe.ts';

/** A verification lasts this long while the engine stays; a job in its second half starts the next one. */
const VERIFIED_FOR_MS = 600_000;
/** How often the network may change while a job waits for its verification. */
const MAX_CHANGES = 2;

export type NetworkSelectorDeps = InternalJobDeps & {
  /** The owner's choice. */
  readonly wanted: JobNetwork;
  /** Undefined where the runtime has none. */
  readonly isolated: IsolatedNetwork | undefined;
};

/** The network was isolated when it was probed. */
type Verification = {
  /** The rules that were probed; see `rulesOf`. */
  readonly rules: string;
  readonly until: number;
  /** Aborted when the engine that was probed has gone, and when another verification replaces this one. */
  readonly watch: AbortController;
};

/** A probe that did not verify the isolation. */
type Failure = {
  readonly rules: string;
  readonly why: AgentError;
  /** The probe ran and its image reports a leak; otherwise it could not be run. */
  readonly isOpen: boolean;
};

type Outcome = { readonly verification: Verification } | { readonly failure: Failure };

/** Selects the network of a job: the isolated one only while its isolation is verified, otherwise none. */
export class NetworkSelector {
  readonly #deps: NetworkSelectorDeps;
  /** By image, because an image can falsify the probe. */
  readonly #failed: BackoffMap<Failure>;
  readonly #probes = new SingleFlight<Outcome>();
  readonly #logged = new OncePerChange();
  #verification: Verification | undefined;

  constructor(deps: NetworkSelectorDeps) {
    this.#deps = deps;
    this.#failed = new BackoffMap(() => deps.clock.monotonic());
  }

  /** The network for a job with this image. Never throws. */
  async networkFor(image: ProbeImage): Promise<JobNetwork> {
    const { detach, isolated, wanted } = this.#deps;
    if (wanted === 'bridge') this.#warnOfBridge();
    if (wanted !== 'isolated') return wanted;
    if (isolated === undefined) return 'none';
    try {
      await this.#verify(isolated, image);
      await this.#checkLine(isolated);
      this.#report(undefined);
      return 'isolated';
    } catch (thrown) {
      if (!detach.aborted) this.#report(asAgentError(thrown));
      return 'none';
    }
  }

  /** Warns once of a line that older rules do not protect; throws where limits of the owner's are not in force. */
  async #checkLine(isolated: IsolatedNetwork): Promise<void> {
    const problem = await isolated.lineProblem(this.#deps.detach);
    if (!this.#logged.isNew(problem?.what ?? '', 'line') || problem === undefined) return;
    const fields = { event: 'job-line-unprotected', hint: problem.hint };
    this.#deps.log.warn(fields, `the rules of the job network are from an older agent: ${problem.what}`);
  }

  /** Resolves where the network as it is now is verified; throws why it is not. */
  async #verify(isolated: IsolatedNetwork, image: ProbeImage): Promise<void> {
    for (let changes = 0; changes < MAX_CHANGES; changes += 1) {
      const targets = await isolated.probeTargets(this.#deps.detach);
      const outcome = await this.#outcomeFor(isolated, targets, image);
      if ('failure' in outcome) throw outcome.failure.why;
      const { rules, watch } = outcome.verification;
      // The probe may have been of other rules, or of an engine that has gone since.
      if (rules === rulesOf(targets) && !watch.signal.aborted) return;
    }
    throw new AgentError('NETWORK_NOT_READY', 'it changes while it is being verified');
  }

  async #outcomeFor(isolated: IsolatedNetwork, targets: ProbeTargets, image: ProbeImage): Promise<Outcome> {
    const failure = this.#failureOf(image, rulesOf(targets));
    const verification = this.#validFor(rulesOf(targets));
    if (failure?.isOpen === true || (failure !== undefined && verification === undefined)) return { failure };
    if (verification === undefined) return this.#joinProbe(isolated, targets, image);
    const isLate = this.#deps.clock.monotonic() > verification.until - VERIFIED_FOR_MS / 2;
    // No job waits for the next verification while this one is valid.
    if (isLate && failure === undefined && this.#probes.size === 0)
      void this.#probeOnce(isolated, targets, image).catch(() => undefined);
    return { verification };
  }

  #failureOf(image: ProbeImage, rules: string): Failure | undefined {
    const failure = this.#failed.waitingFor(image.id)?.failure;
    return failure?.rules === rules ? failure : undefined;
  }

  #validFor(rules: string): Verification | undefined {
    const last = this.#verification;
    const isValid = last?.rules === rules && !last.watch.signal.aborted;
    return isValid && this.#deps.clock.monotonic() < last.until ? last : undefined;
  }

  /** A verification by any image serves all jobs; a failure says nothing about other images. */
  async #joinProbe(isolated: IsolatedNetwork, targets: ProbeTargets, image: ProbeImage): Promise<Outcome> {
    if (!this.#probes.has(image.id)) {
      const outcome = await this.#probes.oldest;
      if (outcome !== undefined && 'verification' in outcome) return outcome;
    }
    return this.#probeOnce(isolated, targets, image);
  }

  #probeOnce(isolated: IsolatedNetwork, targets: ProbeTargets, image: ProbeImage): Promise<Outcome> {
    return this.#probes.run(image.id, () => this.#probe(isolated, targets, image));
  }

  async #probe(isolated: IsolatedNetwork, targets: ProbeTargets, image: ProbeImage): Promise<Outcome> {
    const { clock, detach } = this.#deps;
    const rules = rulesOf(targets);
    const watch = new AbortController();
    const { gone } = await isolated.watchEngine(AbortSignal.any([detach, watch.signal]));
    void gone.then(() => watch.abort());
    const failure = await this.#failure(targets, image);
    if (failure === undefined) {
      this.#failed.clear(image.id);
      this.#verification?.watch.abort();
      this.#verification = { rules, until: clock.monotonic() + VERIFIED_FOR_MS, watch };
      return { verification: this.#verification };
    }
    // An engine that has gone made the probe fail, not the image.
    if (!watch.signal.aborted) this.#recordFailure(image, failure);
    if (this.#verification?.rules === rules && this.#isOpenToSeveral(rules)) {
      this.#verification.watch.abort();
      this.#verification = undefined;
    }
    watch.abort();
    return { failure };
  }

  #recordFailure(image: ProbeImage, failure: Failure): void {
    const { maxMs } = RETRY.verifyNetwork;
    const now = this.#deps.clock.monotonic();
    this.#failed.retain((_, { retryAt }) => now <= retryAt + maxMs);
    if (this.#failed.get(image.id)?.failure.rules !== failure.rules) this.#failed.clear(image.id);
    this.#failed.fail(image.id, failure, (failures) => backoffMs(RETRY.verifyNetwork, failures));
  }

  /** Whether two images report a leak. What one image says must not take the network from the jobs of others. */
  #isOpenToSeveral(rules: string): boolean {
    const open = this.#failed.waiting.filter(([, { failure }]) => failure.isOpen && failure.rules === rules);
    return open.length > 1;
  }

  async #failure(targets: ProbeTargets, image: ProbeImage): Promise<Failure | undefined> {
    const rules = rulesOf(targets);
    try {
      const problem = await runIsolationProbe(this.#deps, image, targets, this.#deps.detach);
      if (problem === undefined) return undefined;
      const why = new AgentError('NETWORK_NOT_READY', `it is not isolated: ${problem}`, {
        hint: 'sudo sharedcloud-agent network up, and see what sudo sharedcloud-agent network status says',
      });
      return { rules, why, isOpen: true };
    } catch (thrown) {
      const { code, hint, message } = asAgentError(thrown);
      const why = new AgentError(code, `its probe could not be run: ${message}`, {
        cause: thrown,
        ...(hint !== undefined && { hint }),
      });
      return { rules, why, isOpen: false };
    }
  }

  #warnOfBridge(): void {
    if (!this.#logged.isNew('bridge')) return;
    const hint = 'leave --job-network at isolated, unless you trust every job';
    const fields = { event: 'job-network-open', hint };
    this.#deps.log.warn(fields, 'jobs reach this host and its network because of --job-network bridge');
  }

  #report(error: AgentError | undefined): void {
    if (!this.#logged.isNew(error === undefined ? 'verified' : `${error.code}: ${error.message}`)) return;
    const { log } = this.#deps;
    if (error === undefined)
      return log.info({ event: 'job-network-verified' }, 'the job network is verified to be isolated');
    const { code, hint, message } = error;
    const fields = { event: 'job-network-unverified', code, hint };
    log.warn(fields, `jobs get no network, its isolation is not verified: ${message}`);
  }
}

/** Addresses of this host come and go, so only the addresses at which our rules answer name the rules. */
const rulesOf = ({ refused }: ProbeTargets): string => JSON.stringify(refused);
