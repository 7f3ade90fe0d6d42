import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { escapeControls } from '../../../lib/escape.ts';
import { type OwnFile, readOwnFile } from '../../../lib/own-file.ts';
import { LIMITS } from '../../../limits.ts';
import { type EngineTls, readEngineTls } from './tls.ts';

/** The name by which the docker command means no context. */
export const DEFAULT_CONTEXT = 'default';

/** Where a Docker context says that its engine is. */
export type DockerContext = { readonly host: string; readonly tls: EngineTls | undefined };

const META = z.object({
  Name: z.string(),
  Endpoints: z.object({
    docker: z.object({ Host: z.string().optional(), SkipTLSVerify: z.boolean().optional() }),
  }),
});
const CURRENT = z.object({ currentContext: z.string().optional() });
const MAX_NAMES = 10;

/**
 * The context that `docker context use` chose in this directory of Docker's client configuration, usually `~/.docker`;
 * undefined: none, or `config.json` cannot be read or parsed. The docker command then also goes on without it.
 */
export function currentContext(directory: string): string | undefined {
  const text = readIfThere(join(directory, 'config.json'), () => undefined);
  if (text === undefined) return undefined;
  let name: string | undefined;
  try {
    name = CURRENT.parse(JSON.parse(text)).currentContext;
  } catch {
    // What is wrong with the file is reported where its credentials are read.
    return undefined;
  }
  return name === undefined || name === '' || name === DEFAULT_CONTEXT ? undefined : name;
}

/** Reads a context by its name. Throws CONFIG_INVALID if it does not exist or cannot be used. */
export function readContext(directory: string, name: string): DockerContext {
  const contexts = join(directory, 'contexts');
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(contexts, 'meta', id, 'meta.json');
  const shown = JSON.stringify(escapeControls(name.slice(0, 80)));
  const text = readIfThere(path, (why) => {
    throw invalid(`the Docker context ${shown} cannot be read (${path}: ${why})`, READABLE);
  });
  if (text === undefined) {
    const names = contextNames(join(contexts, 'meta'));
    const there = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    throw invalid(
      `there is no Docker context ${shown} in ${contexts} (${there})`,
      'see docker context ls, as the agent’s user; set --docker-context, or --docker-host to the engine itself',
    );
  }
  const { Host: host = '', SkipTLSVerify: unverified = false } = parse(META, text, path).Endpoints.docker;
  if (host === '') throw invalid(`the Docker context ${shown} names no host`, 'see docker context inspect');
  const tls = readEngineTls(join(contexts, 'tls', id, 'docker'), !unverified);
  return { host, tls: tls ?? (unverified ? { ca: undefined, client: undefined, verify: false } : undefined) };
}

const READABLE = 'make it readable for the agent’s user, or set --docker-host';

/** Up to ten names, for a message. */
function contextNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .slice(0, MAX_NAMES)
      .flatMap((id) => readIfThere(join(directory, id, 'meta.json'), () => undefined) ?? [])
      .map((text) => META.parse(JSON.parse(text)).Name)
      .map((name) => escapeControls(name.slice(0, 80)));
  } catch {
    // Only the message would have named them.
    return [];
  }
}

/**
 * The text of a file; undefined: it does not exist. `onUnreadable` decides about any other failure, and about a file that
 * another user could change: it chooses the engine.
 */
function readIfThere(path: string, onUnreadable: (why: string) => undefined): string | undefined {
  let read: OwnFile | undefined;
  try {
    read = readOwnFile(path, LIMITS.host.dockerFile.max);
  } catch (thrown) {
    return onUnreadable(thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown));
  }
  if (read === undefined || 'text' in read) return read?.text;
  return onUnreadable(`it ${read.why}: ${read.hint}`);
}

function parse<T>(schema: z.ZodType<T>, text: string, path: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // The parser's message would quote the file, in which there may be credentials.
    throw invalid(`${path} is not valid`, 'correct it, or set --docker-host');
  }
}

function invalid(what: string, hint: string): AgentError {
  return new AgentError('CONFIG_INVALID', what, { hint });
}
