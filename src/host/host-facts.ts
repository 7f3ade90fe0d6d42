import { readdir, readFile } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Systeminformation } from 'systeminformation';
// Its main module loads 17 more files, and 2 MB of memory.
import { cpu } from 'systeminformation/lib/cpu.js';
import { mem } from 'systeminformation/lib/memory.js';
import { system } from 'systeminformation/lib/system.js';
import { waitAtMost } from '../lib/deadline.ts';
import { measurement } from '../lib/measurement.ts';

/** This host without its GPUs; undefined or empty where a fact could not be read in time. */
export type HostFacts = {
  /** `Debian GNU/Linux 12, kernel 6.1.0, x64` */
  readonly os: string | undefined;
  readonly cpu: { readonly model: string; readonly cores: number } | undefined;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number } | undefined;
  /** `KVM`, `container`, `none` */
  readonly virtualization: string | undefined;
  /** PCI addresses of the Nvidia display controllers, whether or not there is a driver for them. */
  readonly nvidiaCards: readonly string[];
};

const NVIDIA = '0x10de';
/** The first byte of a PCI class: display controllers, with or without a monitor output. */
const DISPLAY = '0x03';

/**
 * Reads the host's facts. Never throws and takes no longer than `deadlineMs`; facts that are not read by then are left
 * out. `sysfs` is the mount point of the kernel's devices.
 */
export async function hostFacts(deadlineMs = 5_000, sysfs = '/sys'): Promise<HostFacts> {
  // An unreadable fact is no error here: `check` names what is missing.
  const inTime = <T>(fact: Promise<T>): Promise<T | undefined> =>
    waitAtMost(
      deadlineMs,
      fact.catch(() => undefined),
    );
  const [distribution, processor, memory, machine, cards] = await Promise.all([
    inTime(distributionName()),
    inTime(cpu()),
    inTime(mem()),
    inTime(system()),
    inTime(nvidiaCards(sysfs)),
  ]);
  return {
    os: distribution && `${distribution}, kernel ${release()}, ${arch()}`,
    cpu: processor && {
      model: `${processor.manufacturer} ${processor.brand}`.trim(),
      cores: processor.cores,
    },
    memory: memory && memoryOf(memory),
    virtualization: machine && virtualizationOf(machine),
    nvidiaCards: cards ?? [],
  };
}

function memoryOf({ available, total }: Systeminformation.MemData): HostFacts['memory'] {
  const [totalBytes, availableBytes] = [measurement(total), measurement(available)];
  return totalBytes === undefined || availableBytes === undefined
    ? undefined
    : { totalBytes, availableBytes };
}

/** Not by systeminformation, which blocks this process on `hostname -f`: without DNS that takes many seconds. */
async function distributionName(): Promise<string | undefined> {
  const { PRETTY_NAME } = parseEnv(await readFile('/etc/os-release', 'utf8'));
  return PRETTY_NAME?.replace(/ \(.*\)$/, '');
}

function virtualizationOf({ model, virtual, virtualHost }: Systeminformation.SystemData): string {
  if (virtual) return virtualHost === undefined || virtualHost === '' ? 'unknown hypervisor' : virtualHost;
  return model.includes('Container') ? 'container' : 'none';
}

async function nvidiaCards(sysfs: string): Promise<readonly string[]> {
  const devices = join(sysfs, 'bus/pci/devices');
  const addresses = await readdir(devices);
  const found = await Promise.all(
    addresses.map(async (address) => {
      const [vendor, kind] = await Promise.all([
        readFile(join(devices, address, 'vendor'), 'utf8'),
        readFile(join(devices, address, 'class'), 'utf8'),
      ]);
      return vendor.trim() === NVIDIA && kind.startsWith(DISPLAY) ? [address] : [];
    }),
  );
  return found.flat().sort();
}
