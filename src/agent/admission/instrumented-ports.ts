import { asAgentError, type ErrorCode } from '../../domain/errors.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { ImageStore, Runtime } from '../../domain/ports/runtime.ts';
import type { EngineBinding } from './engine-binding.ts';
import type { EngineLatency } from './engine-latency.ts';
import type { HealthCheck } from './health-check.ts';
import type { RunningContainers } from './running-containers.ts';

/** Takes how calls have gone. */
type HealthRecord = Pick<HealthCheck, 'recordFailure' | 'recordSuccess'>;

/** What learns from the calls to the runtime. */
export type RuntimeInstruments = {
  readonly latency: Pick<EngineLatency, 'time'>;
  /** Learns which containers run. */
  readonly containers: RunningContainers;
  /** Absent: calls say nothing about the engine's health. */
  readonly health?: HealthRecord;
  /** Absent: the containers are on this engine, because they are no job's. */
  readonly binding?: Pick<EngineBinding, 'confirm' | 'confirmIfDoubtful'>;
};

/** The runtime, whose calls show whether the engine answers, how soon, and whether it is that of the jobs. */
export function instrumentRuntime(
  runtime: Runtime,
  { binding, containers, health, latency }: RuntimeInstruments,
): Runtime {
  const { images } = runtime;
  const outcome = <T>(call: Promise<T>): Promise<T> => recordOutcome(call, health, 'RUNTIME_UNAVAILABLE');
  /** For calls that may also succeed without an answer of the engine. */
  const failure = <T>(call: Promise<T>): Promise<T> => recordFailure(call, health, 'RUNTIME_UNAVAILABLE');
  /** A container that is missing on another engine is not gone. Throws ENGINE_CHANGED then. */
  const unlessElsewhere = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (thrown) {
      if (asAgentError(thrown).code === 'CONTAINER_GONE') await bound(binding?.confirm());
      throw thrown;
    }
  };
  const bound = async (confirmed: Promise<void> | undefined): Promise<void> => {
    if (confirmed !== undefined) await failure(recordFailure(confirmed, health, 'ENGINE_CHANGED'));
  };
  return {
    images: {
      find: (ref) => latency.time('find image', failure(images.find(ref))),
      prepare: (ref, signal) => failure(images.prepare(ref, signal)),
    },
    ...(runtime.imageStore && { imageStore: instrumentStore(runtime.imageStore, failure) }),
    get storagePath() {
      return runtime.storagePath;
    },
    // The health check's own call, and one from before there is anything to claim.
    ping: (signal) => runtime.ping(signal),
    probe: (signal) => runtime.probe(signal),
    ...(runtime.testImage && { testImage: async (signal) => failure(testImage(runtime, signal)) }),
    create: async (plan) => {
      const id = await latency.time('create', outcome(runtime.create(plan)));
      containers.created(id);
      return id;
    },
    start: (id) => latency.time('start', outcome(runtime.start(id))),
    follow: (id, sink, signal) => unlessElsewhere(failure(runtime.follow(id, sink, signal))),
    wait: async (id, signal, onSeen) => {
      const exit = await unlessElsewhere(failure(runtime.wait(id, signal, onSeen)));
      containers.ended(id);
      return exit;
    },
    ...(runtime.wasSignalled && {
      wasSignalled: async (id, exit, signal) => (await runtime.wasSignalled?.(id, exit, signal)) ?? false,
    }),
    stop: (id, graceMs) => outcome(runtime.stop(id, graceMs)),
    remove: async (id) => {
      // Another engine says of a running container that it is gone.
      await bound(binding?.confirmIfDoubtful());
      await outcome(runtime.remove(id));
      containers.ended(id);
    },
    list: async () => {
      await bound(binding?.confirmIfDoubtful());
      const listed = await latency.time('list', outcome(runtime.list()));
      containers.listed(listed);
      return listed;
    },
    ...(runtime.networkUse && { networkUse: async (id, when) => runtime.networkUse?.(id, when) }),
    ...(runtime.mayLoseGpu && { mayLoseGpu: (id) => runtime.mayLoseGpu?.(id) ?? false }),
    ...(runtime.diskBytes && { diskBytes: async (id, signal) => runtime.diskBytes?.(id, signal) }),
  };
}

function instrumentStore(store: ImageStore, failure: <T>(call: Promise<T>) => Promise<T>): ImageStore {
  return {
    list: (signal) => failure(store.list(signal)),
    remove: (image, signal) => failure(store.remove(image, signal)),
  };
}

async function testImage(runtime: Runtime, signal: AbortSignal): Promise<string | undefined> {
  return runtime.testImage?.(signal);
}

/** The journal, whose writes show whether the state directory can be written. */
export function instrumentJournal(journal: Journal, stateDir: HealthCheck): Journal {
  const failure = <T>(write: () => T): T => {
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
    decisions: journal.decisions,
    outcomes: journal.outcomes,
    prices: journal.prices,
    images: journal.images,
    sums: journal.sums,
    energy: journal.energy,
    instance: (offerKey) => journal.instance(offerKey),
    rememberInstance: (offerKey, instance) => failure(() => journal.rememberInstance(offerKey, instance)),
    leaseSeconds: () => journal.leaseSeconds(),
    rememberLease: (seconds) => failure(() => journal.rememberLease(seconds)),
    insert: (job, functionUuid, image) => failure(() => journal.insert(job, functionUuid, image)),
    transition: (uuid, state) => failure(() => journal.transition(uuid, state)),
    get: (uuid) => journal.get(uuid),
    inState: (...names) => journal.inState(...names),
    uuidsIn: (...names) => journal.uuidsIn(...names),
    instancesOf: (...names) => journal.instancesOf(...names),
    durationsOf: (functionUuid) => journal.durationsOf(functionUuid),
    history: (limit) => journal.history(limit),
    recordNetworkUse: (use) => failure(() => journal.recordNetworkUse(use)),
    endNetworkUses: (containers, at) => failure(() => journal.endNetworkUses(containers, at)),
    networkUse: (job) => journal.networkUse(job),
    engine: () => journal.engine(),
    rememberEngine: (engine) => failure(() => journal.rememberEngine(engine)),
    tryWriting: () => journal.tryWriting(),
    close: () => journal.close(),
  };
}

/** The jobs' files, whose writes show whether the state directory can be written. */
export function instrumentFiles(files: JobFiles, stateDir: HealthCheck): JobFiles {
  const failure = <T>(call: Promise<T>): Promise<T> => recordFailure(call, stateDir, 'STATE_DIR_UNUSABLE');
  return {
    layOut: (job, input) => failure(files.layOut(job, input)),
    output: (job, watch) => files.output(job, watch),
    remove: (job) => failure(files.remove(job)),
    list: () => files.list(),
    tryWriting: () => files.tryWriting(),
  };
}

async function recordOutcome<T>(
  call: Promise<T>,
  check: HealthRecord | undefined,
  code: ErrorCode,
): Promise<T> {
  const answer = await recordFailure(call, check, code);
  check?.recordSuccess();
  return answer;
}

async function recordFailure<T>(
  call: Promise<T>,
  check: HealthRecord | undefined,
  code: ErrorCode,
): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    const error = asAgentError(thrown);
    if (error.code === code) check?.recordFailure(error);
    throw thrown;
  }
}
