/** What a hole is found in. The last one is the engine's own setting rather than a program. */
export type Component = 'nvidia-container-toolkit' | 'docker' | 'runc' | 'nvidia-driver';

/** A known way out of a container, until a version of some component. */
export type Vulnerability = {
  readonly component: Component;
  /**
   * The first version of each branch that has the hint. A version counts by the branch that it is of; one above all
   * branches has it, one of no branch that is named here does not.
   */
  readonly fixed: readonly string[];
  /** How many numbers of a version name its branch. */
  readonly branchNumbers: 0 | 1 | 2;
  readonly cves: readonly string[];
  /** What it lets a job do, as the end of a sentence. */
  readonly lets: string;
  /** `refuse`: no GPU is offered. `warn`: distributions hint it without a new version number, so it may be mended. */
  readonly consequence: 'refuse' | 'warn';
};

/**
 * The holes that the agent looks for, from the makers' security bulletins. This is data: a new hole is a new entry,
 * and a component that gets a newer hint has its `fixed` raised and the old CVEs kept.
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
    lets: 'a job write files of this host where somebody uses docker cp on it',
    consequence: 'warn',
  },
  {
    component: 'runc',
    fixed: ['1.2.8', '1.3.3'],
    branchNumbers: 2,
    cves: ['CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'],
    lets: 'an image write to this host’s kernel settings, and so take it over',
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
