import { asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import type { HealthCheck } from './health-check.ts';

/*
 * Ports as they are, except that a footing hears how the calls go that rest on it.
 */

/** The runtime, where calls tell whether the engine answers. */
export function instrumentRuntime(runtime: Runtime, engine: HealthCheck): Runtime {
  const { images } = runtime;
  const noted = <T>(call: Promise<T>): Promise<T> => note(call, engine, 'RUNTIME_UNAVAILABLE');
  /** Failures only: these also end well without a word from the engine. */
  const feared = <T>(call: Promise<T>): Promise<T> => fear(call, engine, 'RUNTIME_UNAVAILABLE');
  return {
    images: {
      find: (ref) => feared(images.find(ref)),
      prepare: (ref, signal) => feared(images.prepare(ref, signal)),
    },
    get storagePath() {
      return runtime.storagePath;
    },
    // The engine's own proof, and what is asked before there is anything to hold: nothing to draw conclusions from.
    ping: (signal) => runtime.ping(signal),
    probe: (signal) => runtime.probe(signal),
    create: (plan) => noted(runtime.create(plan)),
    start: (id) => noted(runtime.start(id)),
    follow: (id, sink, signal) => feared(runtime.follow(id, sink, signal)),
    wait: (id, signal) => feared(runtime.wait(id, signal)),
    stop: (id, graceMs) => noted(runtime.stop(id, graceMs)),
    remove: (id) => noted(runtime.remove(id)),
    list: () => noted(runtime.list()),
    ...(runtime.diskBytes && { diskBytes: async (id, signal) => runtime.diskBytes?.(id, signal) }),
  };
}

/** The journal, where writes tell whether the state directory can be written. */
export function instrumentJournal(journal: Journal, stateDir: HealthCheck): Journal {
  const noted = <T>(write: () => T): T => {
    try {
      return write();
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (error.code === 'STATE_DIR_UNUSABLE') stateDir.recordFailure(error);
      throw thrown;
    }
  };
  return {
    agentId: journal.agentId,
    instance: (offerKey) => journal.instance(offerKey),
    rememberInstance: (offerKey, instance) => noted(() => journal.rememberInstance(offerKey, instance)),
    leaseSeconds: () => journal.leaseSeconds(),
    rememberLease: (seconds) => noted(() => journal.rememberLease(seconds)),
    insert: (job) => noted(() => journal.insert(job)),
    transition: (uuid, state) => noted(() => journal.transition(uuid, state)),
    get: (uuid) => journal.get(uuid),
    inState: (...names) => journal.inState(...names),
    uuidsIn: (...names) => journal.uuidsIn(...names),
    instancesOf: (...names) => journal.instancesOf(...names),
    history: (limit) => journal.history(limit),
    tryWriting: () => journal.tryWriting(),
    close: () => journal.close(),
  };
}

/** The jobs' files, where writes tell whether the state directory can be written. */
export function instrumentFiles(files: JobFiles, stateDir: HealthCheck): JobFiles {
  const feared = <T>(call: Promise<T>): Promise<T> => fear(call, stateDir, 'STATE_DIR_UNUSABLE');
  return {
    layOut: (job, fn, args) => feared(files.layOut(job, fn, args)),
    output: (job) => files.output(job),
    remove: (job) => feared(files.remove(job)),
    list: () => files.list(),
    tryWriting: () => files.tryWriting(),
  };
}

async function note<T>(call: Promise<T>, footing: HealthCheck, code: ErrorCode): Promise<T> {
  const answer = await fear(call, footing, code);
  footing.recordSuccess();
  return answer;
}

async function fear<T>(call: Promise<T>, footing: HealthCheck, code: ErrorCode): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    const error = asAgentError(thrown);
    if (error.code === code) footing.recordFailure(error);
    throw thrown;
  }
}
