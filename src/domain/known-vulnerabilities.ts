/** A program whose version decides whether a vulnerability is present. */
export type Component = 'nvidia-container-toolkit' | 'docker' | 'runc' | 'nvidia-driver';

/** A known container escape, present until some version of a component. */
export type Vulnerability = {
  readonly component: Component;
  /**
   * The first fixed version of each branch. A version is compared within its own branch; a version above all branches is
   * fixed, one of any other branch is not.
   */
  readonly fixed: readonly string[];
  /** How many leading numbers of a version name its branch. */
  readonly branchNumbers: 0 | 1 | 2;
  readonly cves: readonly string[];
  /** What the vulnerability lets a job do, as the end of a sentence. */
  readonly lets: string;
  /** `refuse`: no GPU is offered. `warn`: distributions backport the fix under the old number, so it may be fixed. */
  readonly consequence: 'refuse' | 'warn';
};

/**
 * The vulnerabilities that the agent checks, from the vendors' security bulletins. For a newer fix of a component, raise
 * its `fixed` and keep the old CVEs.
 */
export const KNOWN_VULNERABILITIES: readonly Vulnerability[] = [
  {
    component: 'nvidia-container-toolkit',
    fixed: ['1.19.1'],
    branchNumbers: 0,
    cves: ['CVE-2026-24260', 'CVE-2025-23266', 'CVE-2025-23359', 'CVE-2024-0132'],
    lets: 'an image take over this host',
    consequence: 'refuse',
  },
  {
    component: 'docker',
    fixed: ['29.7.0'],
    branchNumbers: 0,
    cves: ['CVE-2026-17106', 'CVE-2026-41567', 'CVE-2026-41568', 'CVE-2026-42306'],
    lets: 'a job write files on this host when docker cp is used on its container',
    consequence: 'warn',
  },
  {
    component: 'runc',
    fixed: ['1.2.8', '1.3.3'],
    branchNumbers: 2,
    cves: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'],
    lets: 'an image write to this host’s kernel settings and take the host over',
    consequence: 'warn',
  },
  {
    component: 'nvidia-driver',
    fixed: ['580.178.04', '595.91.07', '610.57.04'],
    branchNumbers: 1,
    cves: [],
    lets: 'a job attack this host’s kernel through the driver',
    consequence: 'warn',
  },
];
