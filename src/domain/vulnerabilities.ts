import { type Component, KNOWN_VULNERABILITIES, type Vulnerability } from './known-vulnerabilities.ts';
import { branchOf, compareVersions, isVersion } from './version.ts';

/** What `--accept-risk` takes: the risks for which the agent refuses jobs unless its owner accepts them. */
export const ACCEPTABLE_RISKS = ['nvidia-container-toolkit', 'no-seccomp'] as const;
export type AcceptableRisk = (typeof ACCEPTABLE_RISKS)[number];

/** What jobs run in: the versions that are here (undefined: it cannot be read, or it is not there), and a setting. */
export type HostVersions = Readonly<Record<Component, string | undefined>> & {
  /** Whether the engine filters system calls. */
  readonly seccomp: boolean;
};

/** A danger to this host. `refuse`: no GPU is offered because of it. */
export type Risk = {
  readonly component: Component | 'seccomp';
  readonly severity: 'refuse' | 'warn';
  readonly what: string;
  readonly hint: string;
};

const TITLES: Readonly<Record<Component, string>> = {
  'nvidia-container-toolkit': 'Nvidia’s container toolkit',
  docker: 'Docker',
  runc: 'runc',
  'nvidia-driver': 'the Nvidia driver',
};

/** The risks of these hostVersions, by the known holes. Pure. Without a GPU, what only concerns GPUs is left out. */
export function risksOf(
  hostVersions: HostVersions,
  needs: { readonly gpu: boolean; readonly accepted: readonly AcceptableRisk[] },
): readonly Risk[] {
  const holes = KNOWN_VULNERABILITIES.flatMap((hole): readonly Risk[] => {
    if (!needs.gpu && hole.component.startsWith('nvidia')) return [];
    const version = hostVersions[hole.component];
    if (version !== undefined && isVersion(version)) {
      return isMended(version, hole) ? [] : [riskOf(hole, version, needs.accepted)];
    }
    const hint = `see that it is at least ${hole.fixed.join(' or ')}`;
    const what = `the version of ${TITLES[hole.component]} cannot be read`;
    return [{ component: hole.component, severity: 'warn', what, hint }];
  });
  // Where it is not accepted, such an engine runs nothing at all.
  const accepted = !hostVersions.seccomp && needs.accepted.includes('no-seccomp');
  return accepted ? [OPEN_KERNEL, ...holes] : holes;
}

const OPEN_KERNEL: Risk = {
  component: 'seccomp',
  severity: 'warn',
  what: 'without a seccomp profile a job may use every call of the kernel; you accept that',
  hint: 'start Docker with its default seccomp profile',
};

function riskOf(hole: Vulnerability, version: string, accepted: readonly AcceptableRisk[]): Risk {
  const { component, consequence, cves, fixed, lets } = hole;
  const known = cves.length === 0 ? '' : ` (${cves.join(', ')})`;
  const what = `${TITLES[component]} ${version} may let ${lets}${known}`;
  const update = `update ${TITLES[component]} to ${fixed.join(' or ')}`;
  const name = ACCEPTABLE_RISKS.find((risk) => risk === component);
  if (consequence === 'warn' || name === undefined)
    return { component, severity: 'warn', what, hint: `${update}, unless your distribution has mended it` };
  return accepted.includes(name)
    ? { component, severity: 'warn', what: `${what}; you accept that`, hint: update }
    : { component, severity: 'refuse', what, hint: `${update}, or accept the risk by --accept-risk ${name}` };
}

/** Whether a version has the hint: it is of a branch that has it, or above every branch. */
function isMended(version: string, { branchNumbers, fixed }: Vulnerability): boolean {
  if (branchNumbers === 0) return fixed.every((first) => compareVersions(version, first) >= 0);
  const branch = branchOf(version, branchNumbers);
  const own = fixed.find((first) => branchOf(first, branchNumbers) === branch);
  if (own !== undefined) return compareVersions(version, own) >= 0;
  return fixed.every((first) => compareVersions(branch, branchOf(first, branchNumbers)) > 0);
}
