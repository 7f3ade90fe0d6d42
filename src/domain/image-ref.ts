/** The parts of an image reference; `repository` includes the registry's host, if any. */
export type ImageRef = {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
};

// The first part is a registry's host only if it has a dot or a port or is `localhost`; else it is a user's name.
const NAME = String.raw`[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?`;
const HOST = String.raw`(?:(?:localhost|${NAME}(?:\.${NAME})+)(?::\d{1,5})?/|${NAME}:\d{1,5}/)?`;
const PATH = String.raw`[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*`;
const REFERENCE = new RegExp(
  String.raw`^(${HOST}${PATH})(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$`,
);

/** Parses an image reference as container engines do, without `docker.io/`; undefined: not a reference. */
export function parseImageRef(text: string): ImageRef | undefined {
  if (text.length > 512) return undefined;
  const found = REFERENCE.exec(text);
  // An engine knows `library/python` as `python`.
  const repository = found?.[1]?.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '');
  if (found === null || repository === undefined) return undefined;
  return { repository, tag: found[2], digest: found[3] };
}

/** The reference with an explicit tag: `latest` if it has neither tag nor digest. */
export function canonicalImageRef(ref: ImageRef): string {
  const tag = ref.tag ?? (ref.digest === undefined ? 'latest' : undefined);
  return `${ref.repository}${tag === undefined ? '' : `:${tag}`}${ref.digest === undefined ? '' : `@${ref.digest}`}`;
}

/** The canonical form of a reference; undefined: not a reference. */
export function canonicalRefOf(text: string): string | undefined {
  const ref = parseImageRef(text);
  return ref === undefined ? undefined : canonicalImageRef(ref);
}

/** The name that an engine has of an image for a reference: where that has a digest, without its tag. */
export function engineImageName({ digest, repository, tag }: ImageRef): string {
  return canonicalImageRef({ repository, tag: digest === undefined ? tag : undefined, digest });
}

/** The name of Docker Hub, which has several hosts. */
export const DOCKER_HUB = 'docker.io';

/** The registry of an image, such as `ghcr.io` or `localhost:5000`; `docker.io` where the reference names none. */
export function registryOf({ repository }: Pick<ImageRef, 'repository'>): string {
  const [host = '', ...path] = repository.split('/');
  const hasHost = path.length > 0 && (/[.:]/.test(host) || host === 'localhost');
  return hasHost ? host.toLowerCase() : DOCKER_HUB;
}

/** The repository of the agent's own image for test containers, which is loaded into the engine and never pulled. */
export const TEST_IMAGE_REPOSITORY = 'sharedcloud-agent/test-container';

/**
 * Whether an image matches one of the owner's patterns, and is not the agent's own. `*` matches any characters; a pattern without a tag matches
 * every tag. Text that is not an image reference never matches.
 */
export function imageAllowed(text: string, patterns: readonly string[]): boolean {
  const ref = parseImageRef(text);
  if (ref === undefined || ref.repository === TEST_IMAGE_REPOSITORY) return false;
  const short = [ref.repository, canonicalImageRef(ref)];
  const isOfficial = !ref.repository.includes('/');
  const names = isOfficial ? [...short, ...short.map((name) => `library/${name}`)] : short;
  return patterns.some((pattern) =>
    names.some((name) => matches(name, pattern.replace(/^(?:index\.)?docker\.io\//, ''))),
  );
}

/** Matches a glob of `*` alone, without a regular expression because some patterns would be slow. */
function matches(name: string, pattern: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  if (!name.startsWith(head)) return false;
  const tail = rest.pop();
  if (tail === undefined) return name === head;
  let at = head.length;
  for (const part of rest) {
    const next = name.indexOf(part, at);
    if (next < 0) return false;
    at = next + part.length;
  }
  return name.length - tail.length >= at && name.endsWith(tail);
}
