const GUARDED = /^(?:NVIDIA_|LD_|DOCKER_)/;

/** Whether a variable may steer what prepares the container (GPU hooks, loaders), so that no image may set it. */
export function isGuarded(name: string): boolean {
  return GUARDED.test(name);
}

/**
 * The container's environment as the engine takes it: `NAME=value`, or a bare `NAME` that takes the image's
 * variable away. `wanted` is the job's, `imageNames` what the image sets, `visibleDevices` the GPU by its uuid.
 */
export function containerEnv(
  wanted: Readonly<Record<string, string>>,
  imageNames: readonly string[],
  visibleDevices: string,
): readonly string[] {
  const ours: Readonly<Record<string, string>> = {
    HOME: '/tmp',
    TMPDIR: '/tmp',
    NVIDIA_VISIBLE_DEVICES: visibleDevices,
    NVIDIA_DRIVER_CAPABILITIES: 'compute,utility',
  };
  const set = Object.entries({ ...wanted, ...ours }).filter(([name]) => name in ours || !isGuarded(name));
  const removed = imageNames.filter((name) => isGuarded(name) && !(name in ours));
  return [...set.map(([name, value]) => `${name}=${value}`), ...new Set(removed)];
}
