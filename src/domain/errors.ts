/**
 * Every error that a person may see has one of these codes. The code is stable; the words may change.
 * `exit` is the exit code of a command that ends because of it, `what` what happened, `hint` what the owner can do about
 * it where the error itself does not say so more closely.
 */
export const ERROR_KINDS = {
  CONFIG_INVALID: {
    exit: 2,
    what: 'an option, environment variable or file entry has a value that cannot be used',
    hint: 'correct the setting that is named; `sharedcloud-agent check` lists all with where they come from',
  },
  TOKEN_MISSING: {
    exit: 2,
    what: 'no broker token was given',
    hint: 'put the token that the broker gave you into the token file',
  },
  TOKEN_FILE_UNSAFE: {
    exit: 2,
    what: 'the token file can be read by others, or not by us',
    hint: 'make the token file readable for the agent’s user alone: mode 0600',
  },
  BROKER_UNREACHABLE: {
    exit: 4,
    what: 'the broker could not be reached or gave no answer in time',
    hint: 'is the broker’s URL right, and is this host online?',
  },
  BROKER_UNAVAILABLE: {
    exit: 4,
    what: 'the broker answered that it cannot serve now (5xx, 408, 429)',
    hint: 'wait: what is owed is kept and sent again; ask the broker’s people where it lasts',
  },
  BROKER_NOT_JSON: {
    exit: 4,
    what: 'something answered that is not a SharedCloud broker (no JSON)',
    hint: 'is the broker’s URL right? A proxy or a portal before it may have answered',
  },
  BROKER_BAD_ANSWER: {
    exit: 4,
    what: 'the broker answered with JSON of a shape that the agent cannot use',
    hint: 'is a newer agent to be had? Tell the broker’s people what was wrong',
  },
  BROKER_REDIRECTED_AWAY: {
    exit: 4,
    what: 'the broker redirected to another origin, which is refused',
    hint: 'set the broker’s URL to where it redirects, if that is the broker',
  },
  BROKER_NOT_FOUND: {
    exit: 4,
    what: 'the broker does not know this address (404)',
    hint: 'is the broker’s URL right, with its path?',
  },
  BROKER_REFUSED: {
    exit: 4,
    what: 'the broker refused the request (4xx)',
    hint: 'see the broker’s own words; ask its people where they do not help',
  },
  BROKER_UNAUTHORIZED: {
    exit: 3,
    what: 'the broker does not accept the token',
    hint: 'put a valid token into the token file; a running agent reads it again by itself',
  },
  RUNTIME_UNAVAILABLE: {
    exit: 5,
    what: 'the container engine cannot be reached or does not answer',
    hint: 'is Docker running, and is --docker-host right? See its log: journalctl -u docker',
  },
  RUNTIME_FAILED: {
    exit: 5,
    what: 'the container engine refused or failed an operation',
    hint: 'see Docker’s own words, and its log: journalctl -u docker',
  },
  RUNTIME_REFUSED: {
    exit: 5,
    what: 'the container that the engine made is not the one that was asked for',
    hint: 'see what differs; another program may change what Docker makes (a plugin, a default of its own)',
  },
  CONTAINER_GONE: {
    exit: 5,
    what: 'a container that should exist is gone',
    hint: 'leave the agent’s containers to it: its jobs go back to the market when others remove them',
  },
  CONTAINER_UNSTARTABLE: {
    exit: 5,
    what: 'the image itself cannot be started',
    hint: 'nothing: the image is its maker’s to hint, and its jobs end as failed',
  },
  IMAGE_NOT_FOUND: {
    exit: 5,
    what: 'the image does not exist in its registry or may not be pulled',
    hint: 'nothing, where others use that image: its name or its registry’s rights are its maker’s to hint',
  },
  IMAGE_PULL_FAILED: {
    exit: 5,
    what: 'the image could not be pulled',
    hint: 'is this host online, and has it room? The next pull comes by itself',
  },
  IMAGE_REFUSED: {
    exit: 5,
    what: 'the image breaks a rule of the owner (allow-list, size)',
    hint: 'nothing, unless you want such images: then see --images and --max-image-size',
  },
  GPU_NONE: {
    exit: 6,
    what: 'no usable Nvidia GPU was found',
    hint: 'is the card seated and seen (lspci | grep -i nvidia)? Jobs without a GPU: --cpu-slots',
  },
  GPU_PROBE_FAILED: {
    exit: 6,
    what: 'nvidia-smi is missing, failed or gave an answer that cannot be used',
    hint: 'install the Nvidia driver, and run nvidia-smi by hand',
  },
  GPU_PROBE_HUNG: {
    exit: 6,
    what: 'nvidia-smi did not answer in time',
    hint: 'see the kernel’s log for Xid lines (journalctl -k | grep Xid); a reboot may help',
  },
  KERNEL_LOG_UNREADABLE: {
    exit: 6,
    what: 'the kernel’s log, which tells of sick GPUs, cannot be read',
    hint: 'let the agent’s user read it: group systemd-journal',
  },
  GPU_UNKNOWN: {
    exit: 6,
    what: 'a GPU has no certain entry in the broker’s catalogue',
    hint: 'name its entry in the catalogue: `catalogue` in the file’s table of that GPU',
  },
  STATE_DIR_UNUSABLE: {
    exit: 7,
    what: 'the state directory cannot be created, read or written',
    hint: 'give the agent’s user a directory that it may write to: --state-dir',
  },
  STATE_DIR_IN_USE: {
    exit: 7,
    what: 'another agent runs on this state directory',
    hint: 'stop the other agent, or give this one a --state-dir of its own',
  },
  JOURNAL_UNUSABLE: {
    exit: 7,
    what: 'the journal is damaged or was written by a newer agent',
    hint: 'keep the file, since reports may be owed: set it aside, or use the newer agent again',
  },
  AGENT_NOT_RUNNING: {
    exit: 1,
    what: 'no agent runs on the state directory',
    hint: 'start it, or name the --state-dir of the one that you mean',
  },
  AGENT_OUT_OF_REACH: {
    exit: 1,
    what: 'the agent that runs cannot be signalled from here',
    hint: 'run it as the agent’s user or as root, in the same container',
  },
  NETWORK_UNPRIVILEGED: {
    exit: 8,
    what: 'only root may look at or change the rules of the jobs’ network',
    hint: 'run it with sudo',
  },
  NETWORK_UNSUPPORTED: {
    exit: 8,
    what: 'this host cannot keep the jobs’ network apart (nft, kernel, engine)',
    hint: 'see docs/install.md for the kernel and the nftables that it needs; or --job-network none',
  },
  NETWORK_FAILED: {
    exit: 8,
    what: 'the jobs’ network or its rules could not be looked at, made or removed',
    hint: 'see what it says; `sharedcloud-agent network status` looks again',
  },
  NETWORK_NOT_READY: {
    exit: 8,
    what: 'the jobs’ network is not there, or not as it has to be',
    hint: 'sudo sharedcloud-agent network up',
  },
  FUNCTION_INVALID: {
    exit: 1,
    what: 'a function or its arguments cannot be run',
    hint: 'nothing: the function is its maker’s to hint',
  },
  INTERNAL: {
    exit: 1,
    what: 'a defect in the agent',
    hint: 'this is a defect of the agent: please report it with these lines',
  },
} as const;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** What an error carries beside its message. */
export type ErrorExtras = {
  /** What the owner can do about it, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** How long the other side asked us to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The HTTP status with which the broker refused. */
  readonly status?: number;
};

/** The one error class of the agent: match on `code`, show `message` and `hint`. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? {} : { cause: extras.cause });
    this.name = 'AgentError';
    this.code = code;
    this.hint = extras.hint;
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
