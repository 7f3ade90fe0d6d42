import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { AgentError } from '../../../domain/errors.ts';
import { type OwnFile, readOwnFile } from '../../../lib/own-file.ts';
import { LIMITS } from '../../../limits.ts';

/** What a TLS connection to an engine uses; everything in PEM. */
export type EngineTls = {
  /** The certificates that may sign the engine's; undefined: the system's. */
  readonly ca: string | undefined;
  /** Our own certificate and its key; undefined: none is sent. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
  /** Whether the engine's certificate is verified. Only a Docker context can switch that off. */
  readonly verify: boolean;
};

const NAMES = 'ca.pem, cert.pem and key.pem';

/**
 * Reads `ca.pem`, `cert.pem` and `key.pem` of a directory, as the docker command does; `undefined` if it has none of them.
 * Throws CONFIG_INVALID if one cannot be read or used, or if the key or its certificate is missing.
 */
export function readEngineTls(directory: string, verify: boolean): EngineTls | undefined {
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readPem(join(directory, name)));
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    const missing = cert === undefined ? 'cert.pem' : 'key.pem';
    throw unusable(`${directory} has no ${missing}`, `put ${NAMES} there, as for the docker command`);
  }
  const client = cert === undefined || key === undefined ? undefined : { cert, key };
  try {
    createSecureContext({ ...(ca !== undefined && { ca }), ...client });
  } catch (thrown) {
    // OpenSSL's reason does not repeat the key.
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw unusable(
      `the files in ${directory} cannot be used (${why})`,
      `write ${NAMES} in PEM there; key.pem must belong to cert.pem and have no password`,
      thrown,
    );
  }
  return { ca, client, verify };
}

/** Who changes it chooses which engine is trusted. */
function readPem(path: string): string | undefined {
  let read: OwnFile | undefined;
  try {
    read = readOwnFile(path, LIMITS.host.dockerFile.max);
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    throw unusable(
      `${path} cannot be read (${String(code ?? thrown)})`,
      'make it readable for the agent’s user',
      thrown,
    );
  }
  if (read === undefined || 'text' in read) return read?.text;
  throw unusable(`${path} ${read.why}`, read.hint);
}

function unusable(what: string, hint: string, cause?: unknown): AgentError {
  return new AgentError('CONFIG_INVALID', `no TLS connection to Docker: ${what}`, { hint, cause });
}
