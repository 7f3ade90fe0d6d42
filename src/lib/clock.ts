import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The kernel's name of this boot; empty where it does not tell. */
function bootId(): string {
  try {
    return readFileSync(BOOT_ID, 'utf8').trim();
  } catch {
    return '';
  }
}

/** No process outlives its boot. */
const BOOT = bootId();

/** The real time; see `Clock` in domain/ports/. */
export const systemClock = {
  now: (): number => Date.now(),
  monotonic: (): number => performance.now(),
  bootTime: (): { readonly boot: string; readonly upMs: number } => ({
    boot: BOOT,
    upMs: Math.round(uptime() * 1000),
  }),
};
