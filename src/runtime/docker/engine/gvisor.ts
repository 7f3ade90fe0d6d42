import { parse } from 'smol-toml';
import { z } from 'zod';
import type { GvisorFacts } from '../../../domain/gvisor.ts';
import { readOwnFile } from '../../../lib/own-file.ts';
import { runProgram } from '../../../lib/process.ts';
import { LIMITS } from '../../../limits.ts';
import type { OciRuntime } from './facts.ts';

const DEADLINE_MS = 5_000;
const CONFIG = z.object({ runsc_config: z.record(z.string(), z.unknown()).optional() });

/**
 * What the engine's runtime `runsc` can do for GPUs. `isLocal` says whether its program and files are on this machine.
 * Never throws: what cannot be read is undefined.
 */
export async function readGvisor(
  runtime: OciRuntime,
  isLocal: boolean,
  signal: AbortSignal,
): Promise<GvisorFacts> {
  const flags = new Map(runtime.args.map(flag));
  if (isLocal && runtime.configPath !== undefined)
    for (const [name, value] of configFlags(runtime.configPath)) flags.set(name, value);
  // A runtime that names its configuration elsewhere may have the flag there.
  const unset = runtime.configPath !== undefined && !isLocal ? undefined : 'false';
  const nvproxy = flags.get('nvproxy') ?? unset;
  const isFixed = flags.get('nvproxy-driver-version') !== undefined;
  return {
    nvproxy: nvproxy === undefined ? undefined : /^(?:true|1|t)$/i.test(nvproxy),
    drivers:
      !isLocal || isFixed || runtime.path === undefined
        ? undefined
        : await supportedDrivers(runtime.path, signal),
  };
}

/** `--nvproxy`, `-nvproxy` and `--nvproxy=true` as a name and a value. */
function flag(argument: string): readonly [string, string] {
  const [name = '', ...value] = argument.replace(/^--?/, '').split('=');
  return [name, value.length === 0 ? 'true' : value.join('=')];
}

/** The flags in the configuration file of runsc's shim. */
function configFlags(path: string): readonly (readonly [string, string])[] {
  try {
    const file = readOwnFile(path, LIMITS.host.dockerFile.max);
    if (file === undefined || !('text' in file)) return [];
    const { runsc_config: flags = {} } = CONFIG.parse(parse(file.text));
    return Object.entries(flags).map(([name, value]) => [name, String(value)]);
  } catch {
    return [];
  }
}

/** The drivers that nvproxy knows; undefined for a program that cannot list them, such as one from before 2024. */
async function supportedDrivers(
  program: string,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const options = { deadlineMs: DEADLINE_MS, signal };
  const result = await runProgram(program, ['nvproxy', 'list-supported-drivers'], options).catch(
    () => undefined,
  );
  if (result?.code !== 0) return undefined;
  const drivers = result.stdout.split('\n').filter((line) => /^\d+(?:\.\d+){1,2}$/.test(line));
  return drivers.length === 0 ? undefined : drivers.slice(0, LIMITS.host.gvisorDrivers.max);
}
