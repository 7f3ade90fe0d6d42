/* oxlint-disable vitest/no-conditional-tests, vitest/no-disabled-tests, vitest/valid-title -- this file decides
   whether suites run, and so has no suite of its own that these rules could runChecks. */
/* oxlint-disable vitest/expect-expect, vitest/valid-describe-callback */
import { accessSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * A suite that needs a `TestHost`: root, Docker's programs, nft, the tars of images.sh, and `programs` by their paths. Without them it is skipped
 * under a name that says why; where CI=true it fails instead.
 */
export function describeHost(name: string, body: () => void, programs: readonly string[] = []): void {
  const why = missing(programs);
  if (why === undefined) describe(name, body);
  else if (process.env['CI'] === 'true') test(name, () => expect.fail(why));
  else
    describe.skip(`${name} (skipped: ${why})`, () => {
      test('is not tried', () => undefined);
    });
}

function missing(programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make a host of its own';
  const engine = process.env['SHAREDCLOUD_ENGINE_DIR'] ?? join(tmpdir(), 'sharedcloud-agent-engine');
  const needed = [
    '/usr/sbin/dockerd',
    '/usr/sbin/nft',
    '/usr/sbin/ip',
    '/usr/sbin/iptables',
    '/bin/busybox',
    '/usr/bin/python3',
    ...programs,
    ...['node', 'debian'].map((tar) => join(engine, 'tars', `${tar}.tar`)),
  ];
  const absent = needed.find((path) => !exists(path));
  return absent === undefined ? undefined : `${absent} is missing`;
}

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
