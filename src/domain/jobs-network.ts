/** What a job can reach: nothing, the internet but not this host or its networks, or all that this host can reach. */
export type JobNetwork = 'none' | 'isolated' | 'bridge';

/** The network that jobs get where nothing is known of the isolation of the network that the owner wants. */
export function networkWithoutVerification(wanted: JobNetwork): JobNetwork {
  return wanted === 'isolated' ? 'none' : wanted;
}

/** A TCP address that the probe tries. */
export type Target = { readonly host: string; readonly port: number };

/**
 * What a container must find for the isolation to be verified. At `refused` addresses only our rules of this version
 * answer, with a refusal; `silent` addresses must not answer.
 */
export type ProbeTargets = { readonly refused: readonly Target[]; readonly silent: readonly Target[] };

/** All targets, sorted so that the order does not show which of them should answer. */
export function targetsOf({ refused, silent }: ProbeTargets): readonly Target[] {
  const order = ({ host, port }: Target): string => `${host} ${String(port).padStart(5, '0')}`;
  return [...refused, ...silent].toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

/**
 * Why the results do not verify the isolation; undefined: they do. `found` has one result per target of `targetsOf`:
 * `open`, `refused`, `silent`, or the system's error code.
 */
export function isolationProblem(expected: ProbeTargets, found: readonly string[]): string | undefined {
  const targets = targetsOf(expected);
  if (found.length !== targets.length) return 'the probe returned an incomplete result';
  const at = new Map(targets.map((target, index) => [nameOf(target), found[index]]));
  const reached = expected.silent.filter((target) => at.get(nameOf(target)) !== 'silent');
  const ruleTargets = new Set(expected.refused.map(({ host }) => host));
  const leak = reached.find(({ host }) => !ruleTargets.has(host));
  if (leak !== undefined) return `a job can reach ${nameOf(leak)} (${at.get(nameOf(leak))})`;
  const missed = expected.refused.filter((target) => at.get(nameOf(target)) !== 'refused');
  if (missed.length === 0 && reached.length === 0) return undefined;
  if (missed.length === expected.refused.length)
    return 'its rules are missing, or this host has no route to the internet';
  return 'its rules are from another version of the agent';
}

function nameOf({ host, port }: Target): string {
  return `${host}:${port}`;
}
