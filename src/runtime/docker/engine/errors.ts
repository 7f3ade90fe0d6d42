import { z } from 'zod';
import { AgentError, type ErrorCode } from '../../../domain/errors.ts';
import { ANSWER_TOO_LARGE } from './bounded-answers.ts';
import { connectionHint, expectsTls, USE_TLS } from './connection-hints.ts';
import { hostHint } from './host-hints.ts';

/** A failed call to the engine: its HTTP status, or the socket's error code. */
export type EngineFault = {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly message: string;
  /** Whether the engine itself answered: its errors are JSON, and those of a proxy before it are not. */
  readonly isEngine: boolean;
};

const THROWN = z.object({
  statusCode: z.number().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  message: z.string().catch(''),
  json: z.object({ message: z.string() }).optional().catch(undefined),
});

const NO_ANSWER = { status: undefined, code: undefined, isEngine: false } as const;

/** Reads what dockerode throws. `message` is the engine's, without dockerode's prefix. */
export function readFault(thrown: unknown): EngineFault {
  if (thrown instanceof z.ZodError) return { ...NO_ANSWER, message: 'the answer is not from Docker' };
  const read = THROWN.safeParse(thrown);
  if (!read.success) return { ...NO_ANSWER, message: String(thrown) };
  const { statusCode, code, json, message } = read.data;
  const text = json?.message ?? message.replace(/^\(HTTP code \d+\) [^-]*- /, '');
  return { status: statusCode, code, message: text.trim(), isEngine: json !== undefined };
}

/** The statuses of a proxy that cannot reach its engine. */
const NO_ENGINE: readonly number[] = [502, 503, 504];
/** The statuses of a proxy that does not let a call pass. */
const PROXY_REFUSALS: readonly number[] = [400, 401, 403, 405, 413, 414, 501];

/**
 * A failed call as an AgentError: RUNTIME_UNAVAILABLE without an answer of the engine itself, CONTAINER_GONE for 404,
 * RUNTIME_FAILED for every other answer. `action` completes "could not ...", such as `start container abc`.
 */
export function engineError(thrown: unknown, action: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const fault = readFault(thrown);
  if (fault.code === ANSWER_TOO_LARGE) {
    return new AgentError('RUNTIME_FAILED', `could not ${action}: ${fault.message}`, {
      hint: 'look for labels or environment variables of megabytes in `docker info` and `docker ps -a`',
      cause: thrown,
    });
  }
  if (fault.status === undefined) {
    return new AgentError(
      'RUNTIME_UNAVAILABLE',
      `could not ${action}: no answer from Docker (${fault.message})`,
      {
        hint:
          connectionHint(fault.code ?? '', fault.message) ??
          'start Docker, and see its log (journalctl -u docker)',
        cause: thrown,
      },
    );
  }
  if (!fault.isEngine && expectsTls(fault.message)) {
    return new AgentError('RUNTIME_UNAVAILABLE', `could not ${action}: Docker expects TLS`, {
      hint: USE_TLS,
      cause: thrown,
    });
  }
  if (NO_ENGINE.includes(fault.status)) {
    return new AgentError(
      'RUNTIME_UNAVAILABLE',
      `could not ${action}: no answer from Docker (a proxy answered with status ${fault.status})`,
      { hint: 'start Docker, and see its log (journalctl -u docker)', cause: thrown },
    );
  }
  if (!fault.isEngine && PROXY_REFUSALS.includes(fault.status)) {
    return new AgentError(
      'RUNTIME_FAILED',
      `could not ${action}: a proxy before Docker refused it with status ${fault.status}`,
      {
        hint: 'let the proxy at --docker-host pass every call of the agent (docs/install.md)',
        cause: thrown,
      },
    );
  }
  const code: ErrorCode = fault.status === 404 ? 'CONTAINER_GONE' : 'RUNTIME_FAILED';
  const hint = hostHint(fault.message);
  const extras = hint === undefined ? { cause: thrown } : { hint, cause: thrown };
  return new AgentError(code, `could not ${action}: ${fault.message}`, extras);
}

/** Messages of the engine or its OCI runtime for an unusable command, directory or volume of the image. */
const IMAGE_AT_FAULT = [
  /(?:unable to start container process|starting container process caused): exec: (?!"\/sbin\/docker-init")/,
  /chdir to cwd \(.*\) set in config\.json failed/,
  /error finding executable/,
  /^(?!.*error running).*exec format error/,
  /unable to find (?:user|group)/,
  /no command specified/i,
  /^Cannot mkdir: .* is not a directory/,
  // A path of the image where something is mounted is a file or a link.
  /must be mounted on ordinary directory/,
  /error mounting .* to rootfs at .*(?:not a directory|too many levels of symbolic links)/,
  // The image was built on a host with a GPU and contains files of its driver.
  /nvidia-container-cli: mount error: file creation failed: .*: file exists/,
];

/** A failure that the image causes: CONTAINER_UNSTARTABLE, or IMAGE_REFUSED for one that needs a newer driver. */
export function imageFault(message: string, cause: unknown): AgentError | undefined {
  if (/nvidia-container-cli: requirement error/.test(message)) {
    return new AgentError('IMAGE_REFUSED', `the image does not run on this driver: ${message}`, {
      hint: 'update the Nvidia driver',
      cause,
    });
  }
  if (!IMAGE_AT_FAULT.some((pattern) => pattern.test(message))) return undefined;
  return new AgentError('CONTAINER_UNSTARTABLE', `the image cannot be started: ${message}`, { cause });
}

/**
 * How the engine begins to say that it could not put the image's layers together; a path of the image can only come later.
 * Docker 20.10 to 28 with overlay2, and with containerd's image store.
 */
const STORE_AT_FAULT =
  /^(?:error creating overlay mount|failed to (?:mount|prepare|stat|create) (?!shim|task)|layer does not exist|missing parent|lstat \S+\/overlay2\/|open \S+\/overlay2\/)/i;

/** A failure of this host's copy of the image: IMAGE_STORE_FULL or IMAGE_STORE_CORRUPT. */
function layersFault(message: string, action: string, cause: unknown): AgentError | undefined {
  if (!STORE_AT_FAULT.test(message)) return undefined;
  const isFull = /: (?:no space left on device|disk quota exceeded)/i.test(message);
  const code: ErrorCode = isFull ? 'IMAGE_STORE_FULL' : 'IMAGE_STORE_CORRUPT';
  return new AgentError(code, `could not ${action}: ${message}`, { cause });
}

/** A failed creation: IMAGE_NOT_FOUND, CONTAINER_NAME_TAKEN, CONTAINER_UNSTARTABLE, IMAGE_STORE_*, STATE_DIR_UNUSABLE, or `engineError`. */
export function createError(thrown: unknown, name: string, image: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const { status, message } = readFault(thrown);
  if (status === 404) {
    return new AgentError('IMAGE_NOT_FOUND', `image ${image} is no longer on this host: ${message}`, {
      cause: thrown,
    });
  }
  if (status === 409) {
    return new AgentError('CONTAINER_NAME_TAKEN', `a container named ${name} already exists`, {
      hint: `if no agent runs this job: docker rm -f ${name}`,
      cause: thrown,
    });
  }
  if (message.startsWith('invalid mount config for type "bind"')) {
    return new AgentError('STATE_DIR_UNUSABLE', `could not create container ${name}: ${message}`, {
      hint: 'check that Docker sees the state directory (--state-dir) under the same path',
      cause: thrown,
    });
  }
  return (
    layersFault(message, `create container ${name}`, thrown) ??
    imageFault(message, thrown) ??
    engineError(thrown, `create container ${name}`)
  );
}

/** The kernel's number of the limit of open files, as runc's messages have it. */
const RLIMIT_NOFILE = '7';

/**
 * A failed start: CONTAINER_UNSTARTABLE for a known fault of the image, IMAGE_STORE_* for one of this host's copy of it, and
 * RUNTIME_FAILED for any other: of the host, or of the image in unknown words.
 */
export function startError(thrown: unknown, id: string): AgentError {
  const { status, message } = readFault(thrown);
  if (thrown instanceof AgentError || status === undefined || status === 404) {
    return engineError(thrown, `start container ${id}`);
  }
  if (status === 409 && message.includes('marked for removal'))
    return new AgentError('CONTAINER_GONE', `could not start container ${id}: ${message}`, { cause: thrown });
  const fault = layersFault(message, `start container ${id}`, thrown) ?? imageFault(message, thrown);
  if (fault !== undefined) return fault;
  const [, rlimit] =
    /error setting rlimit(?:s for ready process: error setting rlimit)? type (\d+)/.exec(message) ?? [];
  if (rlimit !== undefined) {
    return new AgentError('RUNTIME_FAILED', `Docker cannot set a limit of a job's processes: ${message}`, {
      hint:
        rlimit === RLIMIT_NOFILE
          ? 'raise LimitNOFILE in Docker’s systemd unit'
          : 'lower the values of "default-ulimits" in Docker’s daemon.json, or raise the limits of its systemd unit',
      cause: thrown,
    });
  }
  return engineError(thrown, `start container ${id}`);
}
