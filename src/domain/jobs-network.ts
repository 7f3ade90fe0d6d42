/** What a job can reach: nothing, the internet without this host and its network, or all that this host reaches. */
export type JobNetwork = 'none' | 'isolated' | 'bridge';

/** An address that is tried over TCP. */
export type Target = { readonly host: string; readonly port: number };

/**
 * What a container on the isolated network must find, so that the isolation counts as proved. `refused` are addresses
 * where nothing but our rules of this very version answers; everything in `silent` must not answer in any way.
 */
export type ProbeTargets = { readonly refused: readonly Target[]; readonly silent: readonly Target[] };

/** Every target of a probeTargets, in an order that does not tell which of them should answer. */
export function targetsOf({ refused, silent }: ProbeTargets): readonly Target[] {
  const order = ({ host, port }: Target): string => `${host} ${String(port).padStart(5, '0')}`;
  return [...refused, ...silent].toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

/**
 * Why what was found, per target of `targetsOf`, does not prove the isolation; undefined: it does. A target is `open`,
 * `refused`, `silent`, or what the system called it.
 */
export function isolationProblem(probeTargets: ProbeTargets, found: readonly string[]): string | undefined {
  const targets = targetsOf(probeTargets);
  if (found.length !== targets.length) return 'the probe did not say what it found';
  const at = new Map(targets.map((target, index) => [nameOf(target), found[index]]));
  const reached = probeTargets.silent.filter((target) => at.get(nameOf(target)) !== 'silent');
  const ruleTargets = new Set(probeTargets.refused.map(({ host }) => host));
  const open = reached.filter(({ host }) => !ruleTargets.has(host));
  const [first] = open;
  if (first !== undefined) return `a job that tries ${nameOf(first)} finds it ${at.get(nameOf(first))}`;
  const missed = probeTargets.refused.filter((target) => at.get(nameOf(target)) !== 'refused');
  if (missed.length === 0 && reached.length === 0) return undefined;
  if (missed.length === probeTargets.refused.length)
    return 'its rules are not there, or this host has no route to the internet';
  return 'its rules are not those of this version of the agent';
}

function nameOf({ host, port }: Target): string {
  return `${host}:${port}`;
}
