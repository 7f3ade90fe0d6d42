import { AgentError, type ErrorCode } from '../../../domain/errors.ts';
import { escapeControls } from '../../../lib/escape.ts';
import { LIMITS } from '../../../limits.ts';
import { engineError, readFault } from '../engine/errors.ts';
import { readRetryAfter } from './retry-after.ts';

/** A cause of failed pulls: the engine's words for it, and the hint where the code's own is too general. */
type Cause = { readonly code: ErrorCode; readonly words: RegExp; readonly hint?: string };

/**
 * In the order in which they are looked for, because messages are nested: `content digest ...: not found` and
 * `no match for platform in manifest: not found` are not about a missing image. The texts are those of Docker 20.10 and
 * of 28 with either image store, all seen in tests.
 */
const CAUSES: readonly Cause[] = [
  { code: 'IMAGE_STORE_FULL', words: /no space left on device|disk quota exceeded|not enough space/i },
  // The image's own fault, although Docker says that it could not register a layer.
  {
    code: 'IMAGE_UNSUPPORTED',
    words: /invalid tar header|archive\/tar:|max depth exceeded|cannot be mapped to a host ID/i,
  },
  {
    code: 'IMAGE_STORE_CORRUPT',
    words:
      /content digest \S+ not found|failed to lease content|blob \S+ expected at|failed to register layer|layer does not exist|missing parent|parent snapshot \S+ does not exist|failed to get reader from content store|failed to (?:stat|prepare|create|mount) \S*\s?snapshot|(?:\/var\/lib\/(?:docker|containerd)|\/(?:overlay2|fuse-overlayfs|vfs|btrfs|zfs|containerd)\/)\S* no such file or directory|input\/output error|structure needs cleaning|read-only file system|unexpected EOF in layer|ingest \S+ not found|failed to extract layer/i,
  },
  {
    code: 'IMAGE_PLATFORM',
    words:
      /no matching manifest for|no match for platform|cannot be used on this platform|operating system is not supported|does not (?:match|provide) the specified platform/i,
  },
  {
    code: 'REGISTRY_UNREACHABLE',
    words: /proxyconnect|proxy authentication required/i,
    hint: 'correct Docker’s proxy: HTTP_PROXY, HTTPS_PROXY and NO_PROXY of docker.service, or "proxies" in daemon.json',
  },
  {
    code: 'REGISTRY_UNREACHABLE',
    words: /server gave HTTP response to HTTPS client/i,
    hint: 'if the registry is yours and has no TLS: add it to "insecure-registries" in Docker’s daemon.json',
  },
  {
    code: 'REGISTRY_UNREACHABLE',
    words: /x509:|tls:|certificate/i,
    hint: 'put the CA of the registry into /etc/docker/certs.d/REGISTRY/ca.crt, and check this host’s clock',
  },
  {
    code: 'REGISTRY_UNREACHABLE',
    words: /no such host|server misbehaving|lookup \S+ on |temporary failure in name resolution/i,
    hint: 'check this host’s DNS: the registry’s name cannot be resolved',
  },
  { code: 'REGISTRY_UNREACHABLE', words: /\bdial (?:tcp|udp)|connect: permission denied|no route to host/i },
  {
    code: 'REGISTRY_RATE_LIMITED',
    words:
      /\btoomanyrequests:(?!\w)|too many requests|rate limit|rate exceeded|retry[- ]after|HTTP 429\b|\b429 Too/i,
  },
  {
    code: 'REGISTRY_DENIED',
    words:
      /unauthorized|authentication required|access denied|requested access|no basic auth credentials|insufficient_scope|authorization failed|incorrect username or password|(?<!permission )\bdenied\b|HTTP 40[13]\b|\b40[13] (?:Unauthorized|Forbidden)/i,
  },
  {
    code: 'IMAGE_CORRUPT',
    words:
      /verification failed|unexpected commit (?:digest|size)|digest mismatch|does not match (?:the )?digest/i,
  },
  {
    code: 'REGISTRY_UNAVAILABLE',
    words:
      /unexpected HTTP status:? 5|HTTP 5\d\d\b|\b50\d (?:Internal|Not|Bad|Service|Gateway)|service unavailable|bad gateway|gateway time-?out/i,
  },
  {
    code: 'IMAGE_NOT_FOUND',
    words: /manifest unknown|name unknown|unknown blob|blob unknown|HTTP 404\b|\b404 Not Found/i,
  },
  {
    code: 'IMAGE_UNSUPPORTED',
    words:
      /media ?type|schema ?(?:version )?1|missing signature key|no longer supported|unsupported manifest|unexpected end of JSON|error unmarshalling|looking for beginning of value|invalid desc|missing or empty Content-Type|<html/i,
  },
  { code: 'IMAGE_NOT_FOUND', words: /not found|no such image|does not exist|repository name not known/i },
  {
    code: 'REGISTRY_UNREACHABLE',
    words:
      /time(?:d )?out|deadline exceeded|connection re(?:set|fused)|broken pipe|\bEOF\b|short read|redirects|request canceled/i,
  },
];

/** The engine answers a pull with the registry's status, since Docker 25. */
const STATUSES: Readonly<Record<number, ErrorCode>> = {
  401: 'REGISTRY_DENIED',
  403: 'REGISTRY_DENIED',
  404: 'IMAGE_NOT_FOUND',
  429: 'REGISTRY_RATE_LIMITED',
};

/** A failed pull, from what dockerode throws. */
export function pullError(thrown: unknown, ref: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const { message, status } = readFault(thrown);
  // Docker answers in JSON. A page is from a proxy between the agent and Docker.
  if (status === undefined || /^<(?:!doctype|html)/i.test(message))
    return engineError(thrown, `pull image ${ref}`);
  return pullRefusal(ref, message, { status, cause: thrown });
}

/**
 * A failed pull, from the engine's message and the status of its answer: IMAGE_* or REGISTRY_*. A wait that the registry
 * asks for is its `retryAfterMs`.
 */
export function pullRefusal(
  ref: string,
  message: string,
  { cause, status = 0 }: { readonly status?: number; readonly cause?: unknown } = {},
): AgentError {
  const words = withoutNames(message.slice(0, LIMITS.engine.pullErrorRead.max), ref);
  const found = CAUSES.find((one) => one.words.test(words));
  const code = found?.code ?? STATUSES[status] ?? 'IMAGE_PULL_FAILED';
  const retryAfterMs = code === 'REGISTRY_RATE_LIMITED' ? readRetryAfter(words) : undefined;
  const shown = escapeControls(message.trim()).slice(0, LIMITS.engine.pullError.max);
  return new AgentError(code, `image ${ref} could not be pulled: ${shown}`, {
    ...(found?.hint !== undefined && { hint: found.hint }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    cause,
  });
}

/** A failed look at an image that is here, as `pullError` would name it where the store is at fault; else undefined. */
export function storeFault(thrown: unknown, ref: string): AgentError | undefined {
  const { message, status } = readFault(thrown);
  if (status === undefined) return undefined;
  const words = withoutNames(message.slice(0, LIMITS.engine.pullErrorRead.max), ref);
  const code = CAUSES.find((one) => one.words.test(words))?.code;
  if (code !== 'IMAGE_STORE_CORRUPT' && code !== 'IMAGE_STORE_FULL') return undefined;
  const shown = escapeControls(message.trim()).slice(0, LIMITS.engine.pullError.max);
  return new AgentError(code, `image ${ref} is here and could not be read: ${shown}`, { cause: thrown });
}

/** The message without URLs and the image's name in any form that engines write: a repository may be called `denied`. */
function withoutNames(message: string, ref: string): string {
  const repository = ref.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const path = repository.replace(/^(?:[^/]*[.:][^/]*|localhost)\//, '');
  const tagged = ref.slice(repository.length);
  const names = [repository, path, `library/${path}`].flatMap((name) => [`${name}${tagged}`, name]);
  const short = message.replace(/\bhttps?:\/\/[^\s"]+/g, 'URL');
  return names
    .filter((name) => name !== '')
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, name) => text.replaceAll(asWhole(name), 'IMAGE'), short);
}

/** A name that is not part of another word. One word alone may be the engine's own, except where it writes names. */
function asWhole(name: string): RegExp {
  const before = /[/:@]/.test(name)
    ? String.raw`(?<![\w-])`
    : String.raw`(?<=["'‘/]|\brepository[: ]|\bfor )`;
  const literal = name.replace(/[^\w-]/g, String.raw`\$&`);
  return new RegExp(`${before}${literal}(?![\\w-])`, 'g');
}
