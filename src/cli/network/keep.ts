import { type AgentError, asAgentError, type ErrorCode } from '../../domain/errors.ts';
import { type BackoffShape, backoffMs } from '../../lib/backoff.ts';
import { joinSignals } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { sleep } from '../../lib/sleep.ts';

/** How often everything is compared, in milliseconds. */
const COMPARE_MS = 60_000;
/** How often the rules are asked for, in milliseconds: only connections, and no program is started. */
const ASK_MS = 5_000;
/** After a failure; short, because an engine that restarts is back in seconds. */
const RETRY: BackoffShape = { initialMs: 500, maxMs: 5_000 };

/** What may pass by itself. All else ends the command: this host can have no job network. */
const TRANSIENT: readonly ErrorCode[] = [
  'RUNTIME_UNAVAILABLE',
  'RUNTIME_FAILED',
  'NETWORK_FAILED',
  'NETWORK_NOT_READY',
];

/** The job network as it is kept. */
export type KeptNetwork = {
  /** Compares all parts, and creates or repairs them if one differs; answers whether one did. */
  readonly repair: () => Promise<boolean>;
  /** Whether the rules of the last repair are in force. Never throws. */
  readonly rulesAnswer: (signal: AbortSignal) => Promise<boolean>;
  /** `gone` settles when the engine that answers now stops. */
  readonly watchEngine: (signal: AbortSignal) => Promise<{ readonly gone: Promise<void> }>;
};

/**
 * Keeps the job network up until `stop` aborts: compares it every minute, after Docker stopped, and when its rules stop
 * answering. Throws if this host can have none.
 */
export async function keepNetwork(network: KeptNetwork, log: Log, stop: AbortSignal): Promise<void> {
  const logged = new OncePerChange();
  let failures = 0;
  let isKnown = false;
  while (!stop.aborted) {
    try {
      const repaired = await network.repair();
      if (repaired) log.info({ event: 'job-network-repaired' }, 'the job network or its rules were created');
      else if (!isKnown) log.info({ event: 'job-network-up' }, 'the job network and its rules are in place');
      logged.forget('');
      failures = 0;
      isKnown = true;
      await untilDue(network, stop);
    } catch (thrown) {
      if (stop.aborted) return;
      const { code, hint, message } = transient(thrown);
      if (logged.isNew(message))
        log.warn({ event: 'job-network-failed', code, hint }, `the job network is not up: ${message}`);
      failures += 1;
      isKnown = false;
      await sleep(backoffMs(RETRY, failures), stop);
    }
  }
}

/** The error, if it may pass by itself; otherwise throws it. */
function transient(thrown: unknown): AgentError {
  const error = asAgentError(thrown);
  if (TRANSIENT.includes(error.code)) return error;
  throw error;
}

/** Waits until the network is to be compared again. */
async function untilDue(network: KeptNetwork, stop: AbortSignal): Promise<void> {
  const over = new AbortController();
  using either = joinSignals(stop, over.signal);
  const { signal } = either;
  try {
    const { gone } = await network.watchEngine(signal);
    await Promise.race([gone, rulesGone(network, signal), sleep(COMPARE_MS, signal)]);
  } finally {
    over.abort();
  }
}

/** Settles when rules that have answered do not any more; where they cannot be asked, they never answer. */
async function rulesGone(network: KeptNetwork, signal: AbortSignal): Promise<void> {
  for (let answered = false; !signal.aborted; await sleep(ASK_MS, signal)) {
    const answers = await network.rulesAnswer(signal);
    if (answered && !answers) return;
    answered ||= answers;
  }
}
