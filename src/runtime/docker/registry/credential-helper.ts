import { z } from 'zod';
import { AgentError } from '../../../domain/errors.ts';
import { PROGRAM_NOT_FOUND, ProgramError, runProgram } from '../../../lib/process.ts';
import { LIMITS } from '../../../limits.ts';
import { type RegistryAuth, serverAddress } from './docker-config.ts';

/** A helper may ask a service of its cloud. */
const DEADLINE_MS = 15_000;

const ANSWER = z.object({ Username: z.string(), Secret: z.string().min(1) });

/** The user name that marks a secret as an identity token. */
const TOKEN_USER = '<token>';

/** The program of a helper, such as `docker-credential-pass`. */
export function helperProgram(name: string): string {
  return `docker-credential-${name}`;
}

/**
 * Asks a credential helper for a registry's credentials; undefined: it has none. Throws REGISTRY_CREDENTIALS_UNUSABLE,
 * never with what the helper printed, which may be secret.
 */
export async function askHelper(
  name: string,
  registry: string,
  signal: AbortSignal,
): Promise<RegistryAuth | undefined> {
  const program = helperProgram(name);
  const serveraddress = serverAddress(registry);
  const unusable = (why: string, hint?: string): AgentError =>
    new AgentError('REGISTRY_CREDENTIALS_UNUSABLE', `the credential helper ${program} ${why}`, {
      hint: hint ?? `run as the agent’s user: echo ${serveraddress} | ${program} get`,
    });
  const run = {
    input: serveraddress,
    deadlineMs: DEADLINE_MS,
    maxOutputBytes: LIMITS.host.credentialHelper.max,
    signal,
  };
  let ended: Awaited<ReturnType<typeof runProgram>>;
  try {
    ended = await runProgram(program, ['get'], run);
  } catch (thrown) {
    signal.throwIfAborted();
    throw unusable(thrown instanceof ProgramError ? thrown.message : 'cannot be run');
  }
  if (ended.code === PROGRAM_NOT_FOUND)
    throw unusable(
      'is not installed',
      `install ${program} on the PATH of the agent, or remove it from config.json`,
    );
  if (ended.code !== 0) {
    if (/credentials not found/i.test(ended.stdout)) return undefined;
    throw unusable(
      `failed with ${typeof ended.code === 'number' ? `exit code ${ended.code}` : String(ended.code)}`,
    );
  }
  return readAnswer(ended.stdout, serveraddress) ?? unusableAnswer(unusable);
}

function readAnswer(stdout: string, serveraddress: string): RegistryAuth | undefined {
  try {
    const { Secret, Username } = ANSWER.parse(JSON.parse(stdout));
    return Username === TOKEN_USER
      ? { serveraddress, identitytoken: Secret }
      : { serveraddress, username: Username, password: Secret };
  } catch {
    // The parser's message would quote the answer.
    return undefined;
  }
}

function unusableAnswer(unusable: (why: string) => AgentError): never {
  throw unusable('gave an answer that is not of Docker’s protocol');
}
