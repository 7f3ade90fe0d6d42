import { LIMITS } from '../limits.ts';
import { IMAGE_ERROR_KINDS } from './image-errors.ts';
import { MONEY_ERROR_KINDS } from './money-errors.ts';
import { PAGE_ERROR_KINDS } from './page-errors.ts';

/**
 * The codes of all errors that people see. Codes are stable, texts may change. `exit` is the exit code of a command that
 * fails with the error, `hint` what the owner can do about it unless the error has a hint of its own.
 */
export const ERROR_KINDS = {
  CONFIG_INVALID: {
    exit: 2,
    what: 'an option, environment variable or file entry has an invalid value',
    hint: 'correct the setting that the message names; `sharedcloud-agent COMMAND --help` shows valid values',
  },
  TOKEN_MISSING: {
    exit: 2,
    what: 'no broker token is set',
    hint: 'put the broker’s token into the token file',
  },
  TOKEN_FILE_UNSAFE: {
    exit: 2,
    what: 'other users can read the token file, or the agent cannot read or write it',
    hint: 'make the token file readable by the agent’s user only (mode 0600)',
  },
  BROKER_UNREACHABLE: {
    exit: 4,
    what: 'the broker could not be reached or did not answer in time',
    hint: 'check the broker’s URL and this host’s internet connection',
  },
  BROKER_UNAVAILABLE: {
    exit: 4,
    what: 'the broker is temporarily unavailable (5xx, 408, 429)',
    hint: 'wait: unsent reports are kept and sent again; contact the broker’s operator if it lasts',
  },
  BROKER_NOT_JSON: {
    exit: 4,
    what: 'the answer is not JSON, so it is not from a SharedCloud broker',
    hint: 'check the broker’s URL, and look for a proxy or a login page in between',
  },
  BROKER_BAD_ANSWER: {
    exit: 4,
    what: 'the broker answered with JSON that the agent cannot use',
    hint: 'update the agent, or report the message to the broker’s operator',
  },
  BROKER_REDIRECTED_AWAY: {
    exit: 4,
    what: 'the broker redirected to another origin, which the agent refuses',
    hint: 'if the other origin is the broker, set the broker’s URL to it',
  },
  BROKER_NOT_FOUND: {
    exit: 4,
    what: 'the broker does not know this address (404)',
    hint: 'check the broker’s URL, including its path',
  },
  BROKER_REFUSED: {
    exit: 4,
    what: 'the broker refused the request (4xx)',
    hint: 'read the broker’s message, and contact its operator if it does not help',
  },
  BROKER_UNAUTHORIZED: {
    exit: 3,
    what: 'the broker does not accept the token, or the user name and password',
    hint: 'put a valid token into the token file; a running agent rereads the file',
  },
  TARGET_UNKNOWN: {
    exit: 2,
    what: 'no GPU of this host has the name that was given',
    hint: 'name a GPU by index, uuid or model, or `cpu` for CPU jobs',
  },
  TIME_INVALID: {
    exit: 2,
    what: 'a time is in the past, does not exist on this day, or contradicts another',
    hint: 'write --for 2h, or --until 22:00, which is the next time that the clock shows it',
  },
  RUNTIME_UNAVAILABLE: {
    exit: 5,
    what: 'the container engine cannot be reached or does not answer',
    hint: 'start Docker, check --docker-host, and read its log: journalctl -u docker',
  },
  RUNTIME_FAILED: {
    exit: 5,
    what: 'the container engine refused an operation or failed',
    hint: 'read Docker’s message and its log: journalctl -u docker',
  },
  RUNTIME_REFUSED: {
    exit: 5,
    what: 'the container that the engine created differs from the one that was requested',
    hint: 'find what changes containers on this host: a Docker plugin, or a default in /etc/docker/daemon.json',
  },
  ENGINE_CHANGED: {
    exit: 5,
    what: 'started jobs have their containers on another Docker engine than the one that answers',
    hint: 'start the agent with the --docker-host of these jobs until they have ended; if that engine no longer exists, run `sharedcloud-agent agent-moved`',
  },
  CONTAINER_GONE: {
    exit: 5,
    what: 'a container of the agent no longer exists',
    hint: 'do not remove the agent’s containers; a job whose container is removed goes back to the market',
  },
  CONTAINER_NAME_TAKEN: {
    exit: 5,
    what: 'another container has the name that a job’s container gets',
    hint: 'remove the container that the message names, if no agent runs its job',
  },
  CONTAINER_UNSTARTABLE: {
    exit: 5,
    what: 'the image cannot be started',
    hint: 'ignore it: the image is broken, and its jobs fail',
  },
  ...IMAGE_ERROR_KINDS,
  REGISTRY_DENIED: {
    exit: 5,
    what: 'the registry wants credentials for the image, or refuses those of this host',
    hint: 'ignore it, unless the image is yours: then run `docker login REGISTRY` as the agent’s user, and see the line `registries` of `sharedcloud-agent check`',
  },
  REGISTRY_RATE_LIMITED: {
    exit: 5,
    what: 'the registry limits how often this host may pull',
    hint: 'wait: the agent pulls again by itself; `docker login` as the agent’s user or a mirror raises the limit',
  },
  REGISTRY_UNAVAILABLE: {
    exit: 5,
    what: 'the registry failed (5xx)',
    hint: 'wait: the agent pulls again by itself; see the registry’s status page if it lasts',
  },
  REGISTRY_UNREACHABLE: {
    exit: 5,
    what: 'Docker cannot reach the registry (DNS, network, TLS, proxy)',
    hint: 'try `docker pull` of the image by hand, and check this host’s DNS, firewall and Docker’s proxy settings',
  },
  REGISTRY_CREDENTIALS_UNUSABLE: {
    exit: 5,
    what: 'the file or the program with registry credentials cannot be used',
    hint: 'run `docker login REGISTRY` again as the agent’s user; `sharedcloud-agent check` shows what is found',
  },
  GPU_NONE: {
    exit: 6,
    what: 'no usable Nvidia GPU was found',
    hint: 'check that the host sees the card (lspci | grep -i nvidia), or offer CPU jobs with --cpu-slots',
  },
  GPU_PROBE_FAILED: {
    exit: 6,
    what: 'nvidia-smi is missing, failed, or printed something that cannot be used',
    hint: 'check that `nvidia-smi` works; install the Nvidia driver, but never inside WSL',
  },
  GPU_PROBE_HUNG: {
    exit: 6,
    what: 'nvidia-smi did not answer in time',
    hint: 'turn on persistence mode (sudo nvidia-smi -pm 1) or set --nvidia-smi-timeout higher; if the kernel log (journalctl -k | grep Xid) has Xid errors, reboot',
  },
  SESSIONS_UNREADABLE: {
    exit: 5,
    what: 'systemd-logind does not say which users are active on this host',
    hint: 'run it by hand: loginctl list-sessions',
  },
  GAMES_UNREADABLE: {
    exit: 5,
    what: 'the bus of the user’s session does not say whether a game runs',
    hint: 'run `desk` in the session of the user who plays: systemctl --user start sharedcloud-agent-desk',
  },
  KERNEL_LOG_UNREADABLE: {
    exit: 6,
    what: 'the kernel log, which reports GPU errors, cannot be read',
    hint: 'add the agent’s user to the group systemd-journal',
  },
  GPU_INJECTION_FAILED: {
    exit: 6,
    what: 'the container engine cannot give this GPU to a container',
    hint: 'run `sharedcloud-agent check`, which tries each GPU and names what is missing',
  },
  GPU_UNKNOWN: {
    exit: 6,
    what: 'a GPU has no unique entry in the broker’s catalogue',
    hint: 'name the entry with `catalogue` in the GPU’s table of the configuration file',
  },
  TRAFFIC_LOG_UNAVAILABLE: {
    exit: 8,
    what: 'the log of the jobs’ connections is missing, or cannot be written or read',
    hint: 'see journalctl -u sharedcloud-agent-traffic, which writes the log',
  },
  STATE_DIR_UNUSABLE: {
    exit: 7,
    what: 'the state directory cannot be created, read or written',
    hint: 'name a directory that the agent’s user can write to with --state-dir',
  },
  STATE_DIR_IN_USE: {
    exit: 7,
    what: 'another agent runs on this state directory',
    hint: 'stop the other agent, or give this one its own --state-dir',
  },
  STATE_DIR_COPIED: {
    exit: 7,
    what: 'the state directory is a copy, and the agent of the original may have its unfinished jobs',
    hint: 'give this agent an empty --state-dir; if the other one is no longer used, run `sharedcloud-agent agent-moved`',
  },
  JOURNAL_UNUSABLE: {
    exit: 7,
    what: 'the journal is damaged or was written by a newer agent',
    hint: 'keep the file, because it may hold unsent reports: move it away, or use the newer agent again',
  },
  JOB_UNKNOWN: {
    exit: 1,
    what: 'no job in the journal has this id',
    hint: 'list the jobs with `sharedcloud-agent jobs`; older ones than `keep-history` are deleted',
  },
  JOB_AMBIGUOUS: {
    exit: 1,
    what: 'the ids of several jobs begin like this',
    hint: 'write more of the id',
  },
  AGENT_NOT_RUNNING: {
    exit: 1,
    what: 'no agent runs on the state directory',
    hint: 'start the agent, or name its --state-dir',
  },
  DECISIONS_FULL: {
    exit: 1,
    what: 'there are too many pauses and modes to add another one',
    hint: 'end those that are no longer needed with `sharedcloud-agent resume --tag NAME`',
  },
  NOT_CONFIRMED: {
    exit: 1,
    what: 'jobs would be stopped unpaid or a file replaced, and nobody has agreed to it',
    hint: 'add --yes, or use `sharedcloud-agent pause`, which lets them end',
  },
  CONTROL_INVALID: {
    exit: 2,
    what: 'the running agent does not take a request as it is',
    hint: 'see docs/control-api.md; if a command of the agent sent it, restart the agent so that both have the same version',
  },
  CONTROL_DENIED: {
    exit: 1,
    what: 'the socket that was used only shows things',
    hint: 'use the socket control.sock',
  },
  CONTROL_UNKNOWN: {
    exit: 1,
    what: 'the running agent does not know what was asked for',
    hint: 'restart the agent so that it has the version of this command: sudo systemctl restart sharedcloud-agent',
  },
  CONTROL_VERSION: {
    exit: 1,
    what: 'the running agent has another version of the control API',
    hint: 'restart the agent so that it has the version of this command: sudo systemctl restart sharedcloud-agent',
  },
  CONTROL_FOREIGN: {
    exit: 1,
    what: 'the socket of the agent belongs to another user, and is not used',
    hint: 'find out what made it, and remove it',
  },
  ...PAGE_ERROR_KINDS,
  ...MONEY_ERROR_KINDS,
  AGENT_OUT_OF_REACH: {
    exit: 1,
    what: 'the running agent cannot be signalled from here',
    hint: 'run the command as the agent’s user or as root, in the same container',
  },
  NETWORK_UNPRIVILEGED: {
    exit: 8,
    what: 'only root may read or change the rules of the jobs’ network',
    hint: 'run the command with sudo',
  },
  NETWORK_UNSUPPORTED: {
    exit: 8,
    what: 'this host cannot isolate the jobs’ network (nft, kernel, engine)',
    hint: 'install what docs/install.md lists for the jobs’ network, or set --job-network none',
  },
  NETWORK_FAILED: {
    exit: 8,
    what: 'the jobs’ network or its rules could not be read, created or removed',
    hint: 'read the message, then run `sharedcloud-agent network status`',
  },
  NETWORK_NOT_READY: {
    exit: 8,
    what: 'the jobs’ network is missing or misconfigured',
    hint: 'run `sudo sharedcloud-agent network up`',
  },
  BUNDLE_NOT_WRITTEN: {
    exit: 1,
    what: 'the support bundle cannot be written, or a file of its name is there',
    hint: 'name another file with --output, on a disk with free space',
  },
  BUNDLE_PART_MISSING: {
    exit: 1,
    what: 'a part of the support bundle cannot be made',
    hint: 'send the bundle without it',
  },
  NOTIFICATION_FAILED: {
    exit: 1,
    what: 'a target of notifications did not take one',
    hint: 'check the target, then run `sharedcloud-agent notify test`',
  },
  SECRET_FILE_UNUSABLE: {
    exit: 2,
    what: 'a file with a secret is missing or empty, or other users can access it',
    hint: 'make it readable by the agent’s user only (mode 0600)',
  },
  FUNCTION_INVALID: {
    exit: 1,
    what: 'a function or its arguments cannot be run',
    hint: 'ignore it: the function or its arguments are broken, and its jobs fail',
  },
  INTERNAL: {
    exit: 1,
    what: 'an internal error of the agent',
    hint: 'report this message and the log lines before it: it is a defect of the agent',
  },
} as const;

export type ErrorCode = keyof typeof ERROR_KINDS;

/** Whether a text is one of the codes, as in the answer of another process. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_KINDS, text);
}

/** The optional parts of an error. */
export type ErrorExtras = {
  /** What the owner can do about it, as one imperative. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** The wait that the other side asked for before the next attempt, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The HTTP status of the broker's refusal. */
  readonly status?: number;
};

/** The error class of the agent: match on `code`, show `message` and `hint`. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(atMost(message), extras.cause === undefined ? {} : { cause: extras.cause });
    this.name = 'AgentError';
    this.code = code;
    this.hint = extras.hint === undefined ? undefined : atMost(extras.hint);
    this.retryAfterMs = extras.retryAfterMs;
    this.status = extras.status;
  }

  /** The exit code of a command that fails with this error. */
  get exit(): number {
    return ERROR_KINDS[this.code].exit;
  }
}

/** Others may have written a part of the text: an engine, a registry, a broker. */
function atMost(text: string): string {
  const max = LIMITS.log.error.max;
  return text.length <= max ? text : `${text.slice(0, max).toWellFormed()}…`;
}

/** Converts anything thrown to an AgentError; an AgentError stays as it is. */
export function asAgentError(thrown: unknown, code: ErrorCode = 'INTERNAL'): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AgentError(code, message, { cause: thrown });
}
