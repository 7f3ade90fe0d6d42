import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the driver describes its GPUs, by PCI address. */
const DRIVER = '/proc/driver/nvidia/gpus';

/** The minor number of the device file of a GPU at a PCI address, as the driver's files have it; undefined: they do not. */
export function minorInProc(busId: string, driver: string = DRIVER): number | undefined {
  // nvidia-smi writes eight digits of the domain, the kernel four.
  const address = busId.toLowerCase().replace(/^0000(?=[0-9a-f]{4}:)/, '');
  try {
    const text = readFileSync(join(driver, address, 'information'), 'utf8');
    const minor = /^Device Minor:\s*(\d{1,4})\s*$/m.exec(text)?.[1];
    return minor === undefined ? undefined : Number(minor);
  } catch {
    // Not there in a container, or another driver.
    return undefined;
  }
}

/** The minor numbers by GPU uuid in what `nvidia-smi -q -x` prints. Pure. */
export function minorsInXml(xml: string): ReadonlyMap<string, number> {
  const minors = new Map<string, number>();
  for (const block of xml.split('<gpu id=').slice(1)) {
    const uuid = /<uuid>\s*([^<\s]{1,100})\s*<\/uuid>/.exec(block)?.[1];
    const minor = /<minor_number>\s*(\d{1,4})\s*<\/minor_number>/.exec(block)?.[1];
    if (uuid !== undefined && minor !== undefined) minors.set(uuid, Number(minor));
  }
  return minors;
}
