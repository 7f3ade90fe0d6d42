import { z } from 'zod';
import { AgentError, type ErrorCode } from '../../../domain/errors.ts';

/** What is known about a call to the engine that failed: the HTTP status, or the socket's error code. */
export type EngineFault = {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly message: string;
};

const THROWN = z.object({
  statusCode: z.number().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  message: z.string().catch(''),
  json: z.object({ message: z.string() }).optional().catch(undefined),
});

/** Takes apart what the engine's client throws; the engine's own words without the client's preface. */
export function readFault(thrown: unknown): EngineFault {
  if (thrown instanceof z.ZodError)
    return { status: undefined, code: undefined, message: 'an answer that is not Docker’s' };
  const read = THROWN.safeParse(thrown);
  if (!read.success) return { status: undefined, code: undefined, message: String(thrown) };
  const { statusCode, code, json, message } = read.data;
  const words = json?.message ?? message.replace(/^\(HTTP code \d+\) [^-]*- /, '');
  return { status: statusCode, code, message: words.trim() };
}

const SOCKET_MENDS: Readonly<Record<string, string>> = {
  ENOENT: 'is Docker installed and running, and is --docker-host right?',
  ECONNREFUSED: 'is Docker running, and is --docker-host right?',
  EACCES: 'may this user open the engine’s socket? Add it to the group docker and log in again',
  EPERM: 'may this user open the engine’s socket? Add it to the group docker and log in again',
  ENOTFOUND: 'the name in --docker-host is not known; check its spelling',
};

/** What a proxy says in whose back there is no engine, or none that answers. */
const NO_ENGINE: readonly number[] = [502, 503, 504];

/**
 * A failed call as an AgentError. `doing` says what was tried, such as `start container abc`.
 * RUNTIME_UNAVAILABLE where no answer came of the engine itself, CONTAINER_GONE for 404, RUNTIME_FAILED for every other
 * answer.
 */
export function engineError(thrown: unknown, doing: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const fault = readFault(thrown);
  if (fault.status === undefined) {
    return new AgentError(
      'RUNTIME_UNAVAILABLE',
      `could not ${doing}: no answer from Docker (${fault.message})`,
      {
        hint: SOCKET_MENDS[fault.code ?? ''] ?? 'is Docker running? See its log (journalctl -u docker)',
        cause: thrown,
      },
    );
  }
  if (NO_ENGINE.includes(fault.status)) {
    return new AgentError(
      'RUNTIME_UNAVAILABLE',
      `could not ${doing}: no answer from Docker (status ${fault.status} of a proxy before it)`,
      { hint: 'is Docker running? See its log (journalctl -u docker)', cause: thrown },
    );
  }
  const code: ErrorCode = fault.status === 404 ? 'CONTAINER_GONE' : 'RUNTIME_FAILED';
  return new AgentError(code, `could not ${doing}: ${fault.message}`, { cause: thrown });
}

/** What the engine or its runtime says when the image's own command, directory or volume cannot be used. */
const IMAGE_AT_FAULT = [
  /(?:unable to start container process|starting container process caused): exec: (?!"\/sbin\/docker-init")/,
  /chdir to cwd \(.*\) set in config\.json failed/,
  /error finding executable/,
  /exec format error/,
  /unable to find (?:user|group)/,
  /no command specified/i,
  /^Cannot mkdir: .* is not a directory/,
  // Our memory file system in the place of an image's volume that is a file.
  /error mounting "tmpfs" to rootfs at .* not a directory/,
];

function unstartable(message: string, cause: unknown): AgentError | undefined {
  if (!IMAGE_AT_FAULT.some((pattern) => pattern.test(message))) return undefined;
  return new AgentError('CONTAINER_UNSTARTABLE', `the image cannot be started: ${message}`, { cause });
}

/** A failed creation: an image that vanished, a container that is there already, or the engine's trouble. */
export function createError(thrown: unknown, name: string, image: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const { status, message } = readFault(thrown);
  if (status === 404) {
    return new AgentError('IMAGE_NOT_FOUND', `image ${image} is no longer here: ${message}`, {
      cause: thrown,
    });
  }
  if (status === 409) {
    return new AgentError('RUNTIME_FAILED', `a container named ${name} is here already`, {
      hint: `if no agent runs this job, remove it with: docker rm -f ${name}`,
      cause: thrown,
    });
  }
  return unstartable(message, thrown) ?? engineError(thrown, `create container ${name}`);
}

/** A failed start: CONTAINER_UNSTARTABLE where the image is at fault, RUNTIME_FAILED where the host is. */
export function startError(thrown: unknown, id: string): AgentError {
  const { status, message } = readFault(thrown);
  if (thrown instanceof AgentError || status === undefined || status === 404) {
    return engineError(thrown, `start container ${id}`);
  }
  const fault = unstartable(message, thrown);
  if (fault !== undefined) return fault;
  if (message.includes('could not select device driver')) {
    return new AgentError('RUNTIME_FAILED', `Docker has no way to give a GPU to a container: ${message}`, {
      hint: 'install the Nvidia container toolkit and restart Docker, or choose another --gpu-mode',
      cause: thrown,
    });
  }
  if (message.includes('error setting rlimit')) {
    return new AgentError('RUNTIME_FAILED', `Docker may not set a job's limit of open files: ${message}`, {
      hint: 'raise the limit of open files that Docker itself runs under (LimitNOFILE in its unit)',
      cause: thrown,
    });
  }
  return engineError(thrown, `start container ${id}`);
}

const NOT_THERE = /manifest unknown|not found|does not exist|access denied|unauthorized|no such image/i;

/** A failed pull, by an HTTP answer or by an error line inside the stream. */
export function pullError(thrown: unknown, ref: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const { status, message } = readFault(thrown);
  if (status === undefined) return engineError(thrown, `pull image ${ref}`);
  return pullRefusal(ref, message, thrown);
}

/** What the engine said about a pull that it gave up. */
export function pullRefusal(ref: string, words: string, cause?: unknown): AgentError {
  return NOT_THERE.test(words)
    ? new AgentError(
        'IMAGE_NOT_FOUND',
        `image ${ref} is not in its registry or may not be pulled: ${words}`,
        {
          hint: 'check the name; the agent pulls without credentials',
          cause,
        },
      )
    : new AgentError('IMAGE_PULL_FAILED', `image ${ref} could not be pulled: ${words}`, { cause });
}
