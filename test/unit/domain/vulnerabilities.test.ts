import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Component, KNOWN_VULNERABILITIES } from '../../../src/domain/known-vulnerabilities.ts';
import { compareVersions, isVersion } from '../../../src/domain/version.ts';
import {
  ACCEPTABLE_RISKS,
  type AcceptableRisk,
  type HostVersions,
  risksOf,
} from '../../../src/domain/vulnerabilities.ts';

/** Versions without a known vulnerability. */
const GOOD: HostVersions = {
  'nvidia-container-toolkit': '1.19.1',
  docker: '29.7.0',
  runc: '1.3.3',
  'nvidia-driver': '580.178.04',
  seccomp: true,
};

const COMPONENTS = KNOWN_VULNERABILITIES.map(({ component }) => component);

const risks = (change: Partial<HostVersions>, accepted: readonly AcceptableRisk[] = [], gpu = true) =>
  risksOf({ ...GOOD, ...change }, { gpu, accepted });

test('fixed versions are no risk', () => {
  expect(risks({})).toEqual([]);
});

test.each<[Component, string, 'refuse' | 'warn' | undefined]>([
  ['nvidia-container-toolkit', '1.19.0', 'refuse'],
  ['nvidia-container-toolkit', '1.9.9', 'refuse'],
  ['nvidia-container-toolkit', '1.20.0-rc.1', undefined],
  ['docker', '20.10.24', 'warn'],
  ['docker', '29.6.99', 'warn'],
  ['docker', '29.10.0', undefined],
  ['docker', '30.0', undefined],
  ['runc', '1.1.5', 'warn'],
  ['runc', '1.2.7', 'warn'],
  ['runc', '1.2.8', undefined],
  ['runc', '1.3.0', 'warn'],
  ['runc', '1.4.0', undefined],
  ['nvidia-driver', '535.129.03', 'warn'],
  ['nvidia-driver', '580.95.05', 'warn'],
  ['nvidia-driver', '590.48.01', 'warn'],
  ['nvidia-driver', '595.91.07', undefined],
  ['nvidia-driver', '610.57.03', 'warn'],
  ['nvidia-driver', '620.10', undefined],
])('%s %s: %s', (component, version, severity) => {
  const found = risks({ [component]: version });
  expect(found.map((risk) => risk.severity)).toEqual(severity === undefined ? [] : [severity]);
  for (const risk of found) expect(risk.what).toContain(version);
});

describe('a version that cannot be read', () => {
  test.each(COMPONENTS)('of %s is a warning', (component) => {
    for (const version of [undefined, '', 'devel', 'unknown']) {
      const found = risks({ [component]: version });
      expect(found).toMatchObject([{ component, severity: 'warn' }]);
    }
  });
});

test('a risk that the owner accepts is a warning without the option in its hint', () => {
  const [risk] = risks({ 'nvidia-container-toolkit': '1.17.8' }, ['nvidia-container-toolkit']);
  expect(risk).toMatchObject({ severity: 'warn' });
  expect(risk?.hint).not.toContain('--accept-risk');
});

test('a refusal names the fixed version and the option that accepts it', () => {
  const [risk] = risks({ 'nvidia-container-toolkit': '1.17.8' });
  expect(risk?.hint).toContain('1.19.1');
  expect(risk?.hint).toContain('--accept-risk nvidia-container-toolkit');
});

test('GPU components are no risk without a GPU', () => {
  expect(risks({ 'nvidia-container-toolkit': undefined, 'nvidia-driver': undefined }, [], false)).toEqual([]);
  expect(risks({ docker: '20.10.24' }, [], false)).toHaveLength(1);
});

test('exactly the refused risks can be accepted', () => {
  const refused = KNOWN_VULNERABILITIES.filter(({ consequence }) => consequence === 'refuse');
  expect([...refused.map(({ component }) => component), 'no-seccomp']).toEqual([...ACCEPTABLE_RISKS]);
});

test('an engine without seccomp is a warning if accepted, and else not a risk because nothing runs on it', () => {
  expect(risks({ seccomp: false }, ['no-seccomp'])).toMatchObject([
    { component: 'seccomp', severity: 'warn' },
  ]);
  expect(risks({ seccomp: false })).toEqual([]);
});

test('every entry has valid versions and CVEs', () => {
  for (const { cves, fixed, lets } of KNOWN_VULNERABILITIES) {
    expect(fixed.length).toBeGreaterThan(0);
    expect(fixed.filter((version) => !isVersion(version))).toEqual([]);
    expect(cves.filter((cve) => !/^CVE-\d{4}-\d{4,}$/.test(cve))).toEqual([]);
    expect(lets).not.toBe('');
  }
});

test('versions are totally ordered', () => {
  const version = fc.array(fc.nat(2000), { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join('.'));
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
      expect(compareVersions(a, a)).toBe(0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
        expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});
