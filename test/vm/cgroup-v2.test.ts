import { beforeAll, expect, test } from 'vitest';
import { describeVm } from '../support/vm/describe.ts';
import { boot, type Step } from '../support/vm/vm.ts';

/*
 * A host with systemd as process 1, cgroup v2 and Docker's systemd driver, as new Debians and Ubuntus have them. One
 * boot for all.
 */

const STEPS = {
  host: `set -e
stat --file-system --format %T /sys/fs/cgroup
docker info --format '{{.CgroupDriver}} {{.CgroupVersion}}'
docker run --rm localhost:5000/sharedcloud/busybox echo from a container`,
} as const;

describeVm('a host with systemd and cgroup v2', () => {
  let steps: ReadonlyMap<string, Step>;
  const step = (name: keyof typeof STEPS): Step | undefined => steps.get(name);

  beforeAll(async () => {
    steps = await boot({ steps: STEPS });
  });

  test('is what it is', () => {
    expect(step('host')).toMatchObject({ code: 0, output: 'cgroup2fs\nsystemd 2\nfrom a container' });
  });
});
