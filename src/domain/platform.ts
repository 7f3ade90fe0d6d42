/** Kinds of hosts on which GPUs work differently. */
export type Platform = 'linux' | 'wsl1' | 'wsl2' | 'jetson';

/** What identifies a platform, as read from the host. */
export type PlatformFacts = {
  /** The kernel's release, such as `5.15.167.4-microsoft-standard-WSL2`. */
  readonly kernelRelease: string;
  /** Whether `/dev/dxg` exists, through which WSL2 reaches the GPUs of Windows. */
  readonly hasDxg: boolean;
  /** Whether `/etc/nv_tegra_release` exists. */
  readonly hasTegraRelease: boolean;
  /** The text of `/proc/device-tree/model`; empty where there is none. */
  readonly deviceTreeModel: string;
};

/** The platform of a host. Pure. */
export function platformOf({
  deviceTreeModel,
  hasDxg,
  hasTegraRelease,
  kernelRelease,
}: PlatformFacts): Platform {
  if (/microsoft/i.test(kernelRelease)) return hasDxg || /wsl2/i.test(kernelRelease) ? 'wsl2' : 'wsl1';
  const isJetson =
    hasTegraRelease || /-tegra\b/i.test(kernelRelease) || /jetson|tegra/i.test(deviceTreeModel);
  return isJetson ? 'jetson' : 'linux';
}

/** Whether GPUs and their driver belong to Windows. */
export function isWsl(platform: Platform): boolean {
  return platform === 'wsl1' || platform === 'wsl2';
}

/** How a platform is called; undefined for an ordinary host. */
export const PLATFORM_NAMES: Readonly<Record<Platform, string | undefined>> = {
  linux: undefined,
  wsl1: 'WSL1, which has no GPUs',
  wsl2: 'WSL2, whose GPUs and driver belong to Windows',
  jetson: 'Nvidia Jetson, whose GPU is not supported',
};

/** Why a Jetson's GPU is not offered. */
export const JETSON_FAULT = {
  why: 'it is the integrated GPU of a Jetson, which is not supported: it shares the host’s memory, and containers cannot get it by its uuid',
  hint: 'offer CPU jobs with --cpu-slots',
} as const;
