import { statSync } from 'node:fs';
import { join } from 'node:path';

/** The directories of generated units, which systemd creates again at every reload; empty ones vanish. */
const GENERATED = ['generator', 'generator.early', 'generator.late'];

/**
 * When systemd last read its units again (`systemctl daemon-reload`, or a package that was installed), in milliseconds of
 * the wall clock; undefined: there is no systemd, or it is not visible here. Needs no privileges. `run` is for tests.
 */
export function systemdReloadedAt(run = '/run/systemd'): number | undefined {
  const times = GENERATED.flatMap(
    (name) => statSync(join(run, name), { throwIfNoEntry: false })?.ctimeMs ?? [],
  );
  return times.length === 0 ? undefined : Math.max(...times);
}
