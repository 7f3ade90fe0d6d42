/**
 * Every error that a person may see has one of these codes. The code is stable; the words may change.
 * `exit` is the exit code of a command that ends because of it, `help` what the owner can do about it.
 */
export const ERROR_KINDS = {
  CONFIG_INVALID: {
    exit: 2,
    help: 'an option, environment variable or file entry has a value that cannot be used',
  },
  TOKEN_MISSING: { exit: 2, help: 'no broker token was given' },
  TOKEN_FILE_UNSAFE: { exit: 2, help: 'the token file can be read by others, or not by us' },
  BROKER_UNREACHABLE: { exit: 4, help: 'the broker could not be reached or gave no answer in time' },
  BROKER_UNAVAILABLE: { exit: 4, help: 'the broker answered that it cannot serve now (5xx, 408, 429)' },
  BROKER_NOT_JSON: { exit: 4, help: 'something answered that is not a SharedCloud broker (no JSON)' },
  BROKER_BAD_ANSWER: { exit: 4, help: 'the broker answered with JSON of a shape that the agent cannot use' },
  BROKER_REDIRECTED_AWAY: { exit: 4, help: 'the broker redirected to another origin, which is refused' },
  BROKER_NOT_FOUND: { exit: 4, help: 'the broker does not know this address (404)' },
  BROKER_REFUSED: { exit: 4, help: 'the broker refused the request (4xx)' },
  BROKER_UNAUTHORIZED: { exit: 3, help: 'the broker does not accept the token' },
  RUNTIME_UNAVAILABLE: { exit: 5, help: 'the container engine cannot be reached or does not answer' },
  RUNTIME_FAILED: { exit: 5, help: 'the container engine refused or failed an operation' },
  RUNTIME_REFUSED: { exit: 5, help: 'the container that the engine made is not the one that was asked for' },
  CONTAINER_GONE: { exit: 5, help: 'a container that should exist is gone' },
  CONTAINER_UNSTARTABLE: { exit: 5, help: 'the image itself cannot be started' },
  IMAGE_NOT_FOUND: { exit: 5, help: 'the image does not exist in its registry or may not be pulled' },
  IMAGE_PULL_FAILED: { exit: 5, help: 'the image could not be pulled' },
  IMAGE_REFUSED: { exit: 5, help: 'the image breaks a rule of the owner (allow-list, size)' },
  GPU_NONE: { exit: 6, help: 'no usable Nvidia GPU was found' },
  GPU_PROBE_FAILED: { exit: 6, help: 'nvidia-smi is missing, failed or gave an answer that cannot be used' },
  GPU_PROBE_HUNG: { exit: 6, help: 'nvidia-smi did not answer in time' },
  KERNEL_LOG_UNREADABLE: { exit: 6, help: 'the kernel’s log, which tells of sick GPUs, cannot be read' },
  GPU_UNKNOWN: { exit: 6, help: 'a GPU has no certain entry in the broker’s catalogue' },
  STATE_DIR_UNUSABLE: { exit: 7, help: 'the state directory cannot be created, read or written' },
  STATE_DIR_IN_USE: { exit: 7, help: 'another agent runs on this state directory' },
  JOURNAL_UNUSABLE: { exit: 7, help: 'the journal is damaged or was written by a newer agent' },
  AGENT_NOT_RUNNING: { exit: 1, help: 'no agent runs on the state directory' },
  AGENT_OUT_OF_REACH: { exit: 1, help: 'the agent that runs cannot be signalled from here' },
  NETWORK_UNPRIVILEGED: { exit: 8, help: 'only root may look at or change the rules of the jobs’ network' },
  NETWORK_UNSUPPORTED: {
    exit: 8,
    help: 'this host cannot keep the jobs’ network apart (nft, kernel, engine)',
  },
  NETWORK_FAILED: { exit: 8, help: 'the jobs’ network or its rules could not be looked at, made or removed' },
  NETWORK_NOT_READY: { exit: 8, help: 'the jobs’ network is not there, or not as it has to be' },
  FUNCTION_INVALID: { exit: 1, help: 'a function or its arguments cannot be run' },
  INTERNAL: { exit: 1, help: 'a defect in the agent' },
} as const;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** What an error carries beside its message. */
export type ErrorExtras = {
  /** What the owner can do about it, one sentence. */
  readonly mend?: string;
  readonly cause?: unknown;
  /** How long the other side asked us to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The HTTP status with which the broker refused. */
  readonly status?: number;
};

/** The one error class of the agent: match on `code`, show `message` and `mend`. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  readonly mend: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? {} : { cause: extras.cause });
    this.name = 'AgentError';
    this.code = code;
    this.mend = extras.mend;
    this.retryAfterMs = extras.retryAfterMs;
    this.status = extras.status;
  }

  /** The exit code of a command that ends because of this error. */
  get exit(): number {
    return ERROR_KINDS[this.code].exit;
  }
}

/** Turns whatever was thrown into an AgentError, keeping it when it already is one. */
export function asAgentError(thrown: unknown, code: ErrorCode = 'INTERNAL'): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AgentError(code, message, { cause: thrown });
}
