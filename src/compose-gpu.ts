import type { PresencePorts } from './agent/deps.ts';
import type { Config } from './config/config.ts';
import { type GeneralPolicy, presencePolicy } from './config/gpu-settings.ts';
import { isWsl } from './domain/platform.ts';
import type { HostClock } from './domain/ports/clock.ts';
import { NvidiaProbe } from './gpu/nvidia-probe.ts';
import { NvidiaProcesses } from './gpu/nvidia-processes.ts';
import { NvidiaSampler } from './gpu/nvidia-sampler.ts';
import { NvidiaSmi } from './gpu/nvidia-smi.ts';
import { isAsleep } from './host/gpu-power.ts';
import { JournalctlLog } from './host/kernel-log.ts';
import { Logind } from './host/logind.ts';
import { readPlatform } from './host/platform.ts';
import { CgroupOwners } from './host/process-owners.ts';
import type { Log } from './lib/log.ts';

/* The part of the composition root for GPUs. */

type SmiConfig = Pick<Config, 'nvidiaSmi' | 'nvidiaSmiTimeout'>;

/** nvidia-smi, as the configuration names it. */
export function openSmi({ nvidiaSmi: program, nvidiaSmiTimeout: deadlineMs }: SmiConfig): NvidiaSmi {
  return new NvidiaSmi({ program, deadlineMs });
}

/** The probe of this host's GPUs. */
export function openProbe(config: SmiConfig, smi = openSmi(config)): NvidiaProbe {
  return new NvidiaProbe({ program: config.nvidiaSmi, platform: readPlatform() }, smi);
}

/** What samples this host's GPUs, by the same nvidia-smi as the probe. */
export function openSampler(
  config: SmiConfig,
  smi: NvidiaSmi,
  parts: { readonly clock: HostClock; readonly log: Log },
): NvidiaSampler {
  const { nvidiaSmi: program, nvidiaSmiTimeout: deadlineMs } = config;
  return new NvidiaSampler({ ...parts, smi, program, deadlineMs, platform: readPlatform(), isAsleep });
}

/** What shows whether the owner is here. Its nvidia-smi is another process than the probe's. */
export function openPresence(
  config: SmiConfig & GeneralPolicy,
): PresencePorts & { readonly processes: NvidiaProcesses } {
  const { nvidiaSmi: program, nvidiaSmiTimeout: deadlineMs } = config;
  return {
    policyOf: (gpu) => presencePolicy(config, gpu),
    processes: new NvidiaProcesses({ smi: openSmi(config), program, deadlineMs, platform: readPlatform() }),
    owners: new CgroupOwners(),
    sessions: new Logind(),
  };
}

/** The kernel's log; undefined under WSL, whose kernel has no Nvidia driver that could report an Xid. */
export function openKernelLog(): JournalctlLog | undefined {
  return isWsl(readPlatform()) ? undefined : new JournalctlLog();
}
