import { z } from 'zod';
import { DOCKER_HUB } from '../../../domain/image-ref.ts';
import { LIMITS } from '../../../limits.ts';

/** Credentials as the engine takes them in the header X-Registry-Auth. */
export type RegistryAuth = {
  readonly serveraddress: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
};

/** What Docker's `config.json` says about registries, by their names as `registryOf` writes them. */
export type DockerConfig = {
  readonly auths: ReadonlyMap<string, RegistryAuth>;
  /** The names of the credential helpers of single registries. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The name of the credential helper of all other registries. */
  readonly store: string | undefined;
  /** The entries that cannot be used, and why. Without secrets. */
  readonly problems: readonly string[];
};

export const NO_CONFIG: DockerConfig = {
  auths: new Map(),
  helpers: new Map(),
  store: undefined,
  problems: [],
};

/** A shorter secret may be a part of many words, and would make the log unreadable; its base64 with the name is not. */
const MIN_SECRET_LENGTH = 8;

const text = z.string().max(LIMITS.host.registrySecret.max).optional();
const CONFIG = z.object({
  auths: z.record(z.string(), z.unknown()).nullish(),
  credHelpers: z.record(z.string(), z.unknown()).nullish(),
  credsStore: z.string().nullish(),
});
const ENTRY = z.object({
  auth: text,
  username: text,
  password: text,
  identitytoken: text,
  registrytoken: text,
});

/** It becomes part of a program's name, so it must not lead out of PATH. */
const HELPER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The address that Docker Hub's credentials are kept under. */
const HUB_ADDRESS = 'https://index.docker.io/v1/';

/** The registry of a key of `auths` or `credHelpers`, which may have a scheme and a path. */
export function registryOfKey(key: string): string {
  const host = key
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/, '')
    .toLowerCase();
  return ['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? DOCKER_HUB : host;
}

/** The address that a registry's credentials are asked for with. */
export function serverAddress(registry: string): string {
  return registry === DOCKER_HUB ? HUB_ADDRESS : registry;
}

/** Parses a `config.json`; entries that cannot be used are problems. Throws SyntaxError or ZodError for all else. */
export function parseDockerConfig(json: string): DockerConfig {
  const { auths, credHelpers, credsStore } = CONFIG.parse(JSON.parse(json));
  const problems: string[] = [];
  const store = credsStore === undefined || credsStore === null || credsStore === '' ? undefined : credsStore;
  if (store !== undefined && !HELPER.test(store)) problems.push('"credsStore" is not the name of a helper');
  return {
    auths: readEntries(auths, problems, (entry, registry) => readAuth(entry, registry)),
    helpers: readEntries(credHelpers, problems, (entry) => {
      if (typeof entry !== 'string' || !HELPER.test(entry)) throw new Error('it is not the name of a helper');
      return entry;
    }),
    store: store !== undefined && HELPER.test(store) ? store : undefined,
    problems,
  };
}

/** The key that names the host alone is better than one with a scheme or path. */
function readEntries<T>(
  entries: Readonly<Record<string, unknown>> | null | undefined,
  problems: string[],
  read: (entry: unknown, registry: string) => T | undefined,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const [key, entry] of Object.entries(entries ?? {}).slice(0, LIMITS.host.registries.max)) {
    const registry = registryOfKey(key);
    const name = JSON.stringify(key.slice(0, 100));
    try {
      const value = read(entry, registry);
      if (value !== undefined && (!found.has(registry) || key.toLowerCase() === registry))
        found.set(registry, value);
    } catch (thrown) {
      const why =
        thrown instanceof z.ZodError || !(thrown instanceof Error) ? 'it is malformed' : thrown.message;
      problems.push(`the entry ${name} cannot be used: ${why}`);
    }
  }
  return found;
}

/** undefined: an entry without credentials, which Docker leaves for a registry whose helper has them. */
function readAuth(entry: unknown, registry: string): RegistryAuth | undefined {
  const { auth, identitytoken, password, registrytoken, username } = ENTRY.parse(entry);
  const login = auth === undefined || auth === '' ? { username, password } : decodeLogin(auth);
  const given = { ...login, identitytoken, registrytoken };
  const parts = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined && value !== ''),
  );
  const hasSecret = ['password', 'identitytoken', 'registrytoken'].some((part) => part in parts);
  return hasSecret ? { serveraddress: serverAddress(registry), ...parts } : undefined;
}

/** `auth` is base64 of `username:password`; a password may have colons. */
function decodeLogin(auth: string): { readonly username: string; readonly password: string } {
  const decoded = Buffer.from(auth, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 1) throw new Error('its "auth" is not base64 of a user name and a password');
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

/** The secrets of credentials, in the writings in which they are kept and sent. */
export function secretsOf(auth: RegistryAuth): readonly string[] {
  const { identitytoken, password, registrytoken, username = '' } = auth;
  const login = password === undefined ? [] : [Buffer.from(`${username}:${password}`).toString('base64')];
  return [...login, password, identitytoken, registrytoken]
    .filter((secret) => secret !== undefined)
    .filter(({ length }) => length >= MIN_SECRET_LENGTH);
}
