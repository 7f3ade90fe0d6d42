import type { Gpu } from './gpu.ts';

/** What decides whether jobs in gVisor (`--job-runtime runsc`) can use GPUs; undefined: not known. */
export type GvisorFacts = {
  /** Whether the runtime is started with `--nvproxy`, without which its containers see no GPU. */
  readonly nvproxy: boolean | undefined;
  /** The versions of Nvidia's driver that nvproxy knows. It refuses every other one. */
  readonly drivers: readonly string[] | undefined;
};

/** Versions that a hint names. */
const MAX_NAMED = 5;

/**
 * Why jobs in gVisor cannot use this GPU, with a hint; undefined if nothing is known against it. Pure. What is not known
 * is left to the GPU's test container.
 */
export function unmetByGvisor(
  { driver, migMode }: Pick<Gpu, 'driver' | 'migMode'>,
  { drivers, nvproxy }: GvisorFacts,
): { readonly why: string; readonly hint: string } | undefined {
  if (nvproxy === false)
    return {
      why: 'the runtime runsc is started without --nvproxy, so that its jobs see no GPU',
      hint: 'add "--nvproxy" to "runtimeArgs" of runsc in Docker’s daemon.json and restart Docker, or set --job-runtime runc',
    };
  if (migMode)
    return {
      why: 'gVisor (runsc) does not support MIG',
      hint: 'turn MIG off (sudo nvidia-smi -mig 0), or set --job-runtime runc',
    };
  if (drivers === undefined || drivers.includes(driver)) return undefined;
  const branch = driver.split('.', 1)[0];
  const same = drivers.filter((known) => known.split('.', 1)[0] === branch);
  const named = (same.length > 0 ? same : drivers)
    .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .slice(-MAX_NAMED)
    .join(', ');
  return {
    why: `gVisor (runsc) does not know driver ${driver}`,
    hint: `update runsc, or install a driver that it knows (${named}; all: runsc nvproxy list-supported-drivers), or set --job-runtime runc`,
  };
}
