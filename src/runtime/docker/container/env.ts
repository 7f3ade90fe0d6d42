const GUARDED = /^(?:NVIDIA_|LD_|DOCKER_)/;

/** Whether a variable can steer GPU hooks, the dynamic loader or Docker tools. No image or job may set it. */
export function isGuarded(name: string): boolean {
  return GUARDED.test(name);
}

/**
 * The container's environment in the engine's form: `NAME=value` sets a variable, a bare `NAME` removes the image's.
 * `wanted` is the job's, `imageNames` are the image's, `visibleDevices` is NVIDIA_VISIBLE_DEVICES.
 */
export function containerEnv(
  wanted: Readonly<Record<string, string>>,
  imageNames: readonly string[],
  visibleDevices: string,
): readonly string[] {
  const ours: Readonly<Record<string, string>> = {
    HOME: '/tmp',
    TMPDIR: '/tmp',
    // Images know no name for most users of jobs, and Python's `getpass.getuser` fails without one.
    LOGNAME: 'nobody',
    USER: 'nobody',
    NVIDIA_VISIBLE_DEVICES: visibleDevices,
    NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
  };
  const set = Object.entries({ ...wanted, ...ours }).filter(([name]) => name in ours || !isGuarded(name));
  const removed = imageNames.filter((name) => isGuarded(name) && !(name in ours));
  return [...set.map(([name, value]) => `${name}=${value}`), ...new Set(removed)];
}
