/** What an image or an engine is made for, in the words of image manifests: `linux`, `arm64`, `v8`. */
export type ImagePlatform = {
  /** Empty: unknown. */
  readonly os: string;
  /** Empty: unknown. */
  readonly architecture: string;
  readonly variant: string | undefined;
};

/** Other names of an architecture, as the kernel (`uname -m`) and old tools have them. */
const ARCHITECTURES: readonly (readonly [names: RegExp, architecture: string])[] = [
  [/^(?:amd64|x86_64|x86-64)$/, 'amd64'],
  [/^(?:arm64|aarch64|armv8.*)$/, 'arm64'],
  [/^(?:arm|armhf|armel|armv[5-7].*)$/, 'arm'],
  [/^(?:386|i[3-6]86)$/, '386'],
  [/^(?:ppc64le|ppc64el)$/, 'ppc64le'],
];

/** A platform in one spelling. Absent parts are empty. */
export function imagePlatform(os = '', architecture = '', variant = ''): ImagePlatform {
  const name = architecture.toLowerCase();
  const known = ARCHITECTURES.find(([names]) => names.test(name));
  return {
    os: os.toLowerCase(),
    architecture: known?.[1] ?? name,
    variant: variant === '' ? undefined : variant.toLowerCase(),
  };
}

/**
 * Whether an image runs on an engine without emulation. What is unknown counts as the engine's own: an imported image may
 * name no platform. A variant makes no difference, because an engine does not name its own; 32-bit images never run on a
 * 64-bit engine here, because many such hosts cannot execute them.
 */
export function runsOn(image: ImagePlatform, engine: ImagePlatform): boolean {
  const agrees = (a: string, b: string): boolean => a === '' || b === '' || a === b;
  return agrees(image.os, engine.os) && agrees(image.architecture, engine.architecture);
}

/** Such as `linux/arm/v7`. */
export function platformName({ architecture, os, variant }: ImagePlatform): string {
  return [os || 'unknown', architecture || 'unknown', ...(variant === undefined ? [] : [variant])].join('/');
}
