import type { Gpu } from '../../domain/gpu.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';
import { type ContainerTest, type ContainerTests, uuidsOf } from './test-containers.ts';

/** Whether the engine can run a container as jobs have it. `tests` is undefined where the line `docker` says why not. */
export function checkContainer(tests: ContainerTests | undefined): CheckResult {
  const check = 'container';
  if (tests === undefined) return warn(check, 'not tried: Docker cannot be used, see the line docker');
  return checkTest(check, tests.plain, 'a test container');
}

/** Whether the engine can give each GPU, or each slice of it, to a container. */
export function checkGpuContainers(
  tests: ContainerTests | undefined,
  gpus: readonly Gpu[],
): readonly CheckResult[] {
  if (tests === undefined) return [];
  return gpus.flatMap((gpu) => {
    const tried = uuidsOf(gpu).flatMap((uuid) => tests.gpus.get(uuid) ?? []);
    if (tried.length === 0) return [];
    const worst = tried.find((test) => 'error' in test) ?? tried[0];
    if (worst === undefined) return [];
    const slices = gpu.migMode
      ? ` and ${tried.length === 1 ? 'its slice' : `each of ${tried.length} slices`}`
      : '';
    return [checkTest(`gpu ${gpu.index} container`, worst, `a test container with this GPU${slices}`)];
  });
}

function checkTest(check: string, test: ContainerTest, what: string): CheckResult {
  if ('error' in test) {
    const { found, hint } = fromError(check, test.error);
    return fail(check, `no job can run like this: ${found}`, hint);
  }
  if (!test.value) return warn(check, 'not tried: there is no test image for Docker’s architecture');
  return ok(check, `${what} ran, in ${(test.ms / 1_000).toFixed(1)} s`);
}
