import { type Component, KNOWN_VULNERABILITIES, type Vulnerability } from './known-vulnerabilities.ts';
import { branchOf, compareVersions, isVersion } from './version.ts';

/** The values of `--accept-risk`: risks that stop the agent from offering anything unless the owner accepts them. */
export const ACCEPTABLE_RISKS = ['nvidia-container-toolkit', 'no-seccomp'] as const;
export type AcceptableRisk = (typeof ACCEPTABLE_RISKS)[number];

/** The versions of what jobs run in (undefined: not installed or not readable), and the engine's seccomp setting. */
export type HostVersions = Readonly<Record<Component, string | undefined>> & {
  /** Whether the engine filters system calls. */
  readonly seccomp: boolean;
};

/** A risk to this host. `refuse`: no GPU is offered because of it. */
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

/** The risks of these host versions by the known vulnerabilities. Pure. Without a GPU, GPU components are left out. */
export function risksOf(
  hostVersions: HostVersions,
  needs: { readonly gpu: boolean; readonly accepted: readonly AcceptableRisk[] },
): readonly Risk[] {
  const risks = KNOWN_VULNERABILITIES.flatMap((vulnerability): readonly Risk[] => {
    const { component, fixed } = vulnerability;
    if (!needs.gpu && component.startsWith('nvidia')) return [];
    const version = hostVersions[component];
    if (version !== undefined && isVersion(version)) {
      return isFixed(version, vulnerability) ? [] : [riskOf(vulnerability, version, needs.accepted)];
    }
    const hint = `make sure that it is at least ${fixed.join(' or ')}`;
    const what = `the version of ${TITLES[component]} cannot be read`;
    return [{ component, severity: 'warn', what, hint }];
  });
  // Unless the owner accepts it, the agent runs no jobs on such an engine, so there is no risk to show.
  const accepted = !hostVersions.seccomp && needs.accepted.includes('no-seccomp');
  return accepted ? [NO_SECCOMP, ...risks] : risks;
}

const NO_SECCOMP: Risk = {
  component: 'seccomp',
  severity: 'warn',
  what: 'without a seccomp profile a job may use every system call; accepted by --accept-risk no-seccomp',
  hint: 'start Docker with its default seccomp profile',
};

function riskOf(vulnerability: Vulnerability, version: string, accepted: readonly AcceptableRisk[]): Risk {
  const { component, consequence, cves, fixed, lets } = vulnerability;
  const known = cves.length === 0 ? '' : ` (${cves.join(', ')})`;
  const what = `${TITLES[component]} ${version} may let ${lets}${known}`;
  const update = `update ${TITLES[component]} to ${fixed.join(' or ')}`;
  const name = ACCEPTABLE_RISKS.find((risk) => risk === component);
  if (consequence === 'warn' || name === undefined)
    return {
      component,
      severity: 'warn',
      what,
      hint: `${update}, unless your distribution has backported the fix`,
    };
  return accepted.includes(name)
    ? { component, severity: 'warn', what: `${what}; accepted by --accept-risk ${name}`, hint: update }
    : {
        component,
        severity: 'refuse',
        what,
        hint: `${update}, or accept the risk with --accept-risk ${name}`,
      };
}

/** Whether a version contains the fix: of its own branch, or because it is above every branch. */
function isFixed(version: string, { branchNumbers, fixed }: Vulnerability): boolean {
  if (branchNumbers === 0) return fixed.every((first) => compareVersions(version, first) >= 0);
  const branch = branchOf(version, branchNumbers);
  const own = fixed.find((first) => branchOf(first, branchNumbers) === branch);
  if (own !== undefined) return compareVersions(version, own) >= 0;
  return fixed.every((first) => compareVersions(branch, branchOf(first, branchNumbers)) > 0);
}
