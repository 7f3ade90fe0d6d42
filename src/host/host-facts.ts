import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpu, fsSize, mem, osInfo } from 'systeminformation';

/** A mounted file system; sizes in bytes. */
export type Disk = { readonly mount: string; readonly sizeBytes: number; readonly freeBytes: number };

/** What there is to know of this host beside its GPUs; undefined or empty where it could not be read in time. */
export type HostFacts = {
  /** `Debian GNU/Linux 12`, kernel and architecture behind it. */
  readonly os: string | undefined;
  readonly cpu: { readonly model: string; readonly cores: number } | undefined;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number } | undefined;
  readonly disks: readonly Disk[];
  /** PCI addresses of the Nvidia display controllers, whether or not there is a driver for them. */
  readonly nvidiaCards: readonly string[];
};

const NVIDIA = '0x10de';
/** The first byte of a PCI class: display controllers, with or without a plug for a screen. */
const DISPLAY = '0x03';

/**
 * Reads the host. Never throws and takes no longer than `deadlineMs`: what is not there by then (a dead network
 * mount holds the disks up) is left out. `sysfs` is where the kernel's devices are shown.
 */
export async function hostFacts(deadlineMs = 5_000, sysfs = '/sys'): Promise<HostFacts> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), deadlineMs);
  // What a host does not tell is no error here: `check` names what it misses.
  const inTime = <T>(fact: Promise<T>): Promise<T | undefined> =>
    Promise.race([fact.catch(() => undefined), late.promise]);
  const [os, processor, memory, disks, cards] = await Promise.all([
    inTime(osInfo()),
    inTime(cpu()),
    inTime(mem()),
    inTime(fsSize()),
    inTime(nvidiaCards(sysfs)),
  ]);
  clearTimeout(timer);
  return {
    os: os && `${os.distro} ${os.release}, kernel ${os.kernel}, ${os.arch}`,
    cpu: processor && {
      model: `${processor.manufacturer} ${processor.brand}`.trim(),
      cores: processor.cores,
    },
    memory: memory && { totalBytes: memory.total, availableBytes: memory.available },
    disks: (disks ?? []).map(({ available, mount, size }) => ({
      mount,
      sizeBytes: size,
      freeBytes: available,
    })),
    nvidiaCards: cards ?? [],
  };
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
