import type { CatalogueGpu } from '../../../domain/gpu.ts';
import { JOB_STATUS } from '../../../domain/job.ts';
import { durationMs } from '../store/job-change.ts';
import {
  type FunctionRow,
  type ImageRow,
  INSTANCE_TYPE,
  type InstanceRow,
  type JobRow,
  type RunRow,
  type UserRow,
} from '../store/rows.ts';
import type { BrokerStore } from '../store/store.ts';
import { brokerTime } from './broker-time.ts';

/** A resource in its wire format. */
export type View = Readonly<Record<string, unknown>>;

/** Converts rows to resources, each with the broker's current time. */
export class Views {
  readonly #store: BrokerStore;

  constructor(store: BrokerStore) {
    this.#store = store;
  }

  run(run: RunRow): View {
    return { ...runWithoutTime(run), ...this.#now() };
  }

  fn(fn: FunctionRow): View {
    return {
      uuid: fn.uuid,
      name: fn.name,
      code: fn.code,
      runtime: fn.runtime,
      image: fn.image,
      registry_path: this.#store.images.find(fn.image)?.registryPath ?? '',
      num_runs: this.#store.market.runsOf(fn.uuid),
      created_at: brokerTime(fn.createdAt),
      updated_at: brokerTime(fn.updatedAt),
      ...this.#now(),
    };
  }

  image(image: ImageRow): View {
    const { name, tag } = nameAndTag(image.registryPath);
    const hasIt = (instance: InstanceRow): boolean => instance.downloadedImages.includes(image.registryPath);
    return {
      uuid: image.uuid,
      registry_path: image.registryPath,
      requires_gpu: image.requiresGpu,
      runtime: image.runtime,
      name,
      tag,
      description: image.description,
      num_installations: this.#store.instances.all().filter(hasIt).length,
      created_at: brokerTime(image.createdAt),
      ...this.#now(),
    };
  }

  /** A GPU is available while an instance with it is on the market. */
  gpu(gpu: CatalogueGpu): View {
    const offersIt = (instance: InstanceRow): boolean => instance.available && instance.gpu === gpu.uuid;
    return {
      uuid: gpu.uuid,
      name: gpu.name,
      codename: gpu.codename,
      cuda_cores: gpu.cudaCores,
      is_available: this.#store.instances.all().some(offersIt),
      ...this.#now(),
    };
  }

  /** An instance as other users see it. */
  offer(instance: InstanceRow): View {
    const gpu = instance.gpu === null ? undefined : this.#store.gpus.find(instance.gpu);
    return {
      uuid: instance.uuid,
      name: instance.name,
      type: instance.type,
      gpu_name: gpu?.name ?? 'n/a',
      cuda_cores: gpu?.cudaCores ?? 0,
      ask_price: instance.askPrice,
      last_connection: brokerTime(instance.lastConnection),
      ...this.#now(),
    };
  }

  instance(instance: InstanceRow): View {
    return {
      uuid: instance.uuid,
      name: instance.name,
      type: instance.type,
      gpu: instance.type === INSTANCE_TYPE.GPU ? instance.gpu : null,
      ask_price: instance.askPrice,
      max_num_parallel_jobs: instance.maxNumParallelJobs,
      status: instance.available ? 2 : 1,
      downloaded_images: instance.downloadedImages,
      num_running_jobs: this.#store.market.jobs.heldBy(instance.uuid).length,
      last_connection: brokerTime(instance.lastConnection),
      ...this.#now(),
    };
  }

  /** The broker does not know when a job starts, so `started_at` is the claim. `duration` is in seconds. */
  job(job: JobRow): View {
    const lease = this.#store.market.leases.seconds;
    const duration = durationMs(job);
    return {
      uuid: job.uuid,
      run: job.run,
      function_name: job.functionName,
      incremental_id: job.incrementalId,
      arguments: job.arguments,
      status: job.status,
      instance: job.instance,
      created_at: brokerTime(job.createdAt),
      assigned_at: brokerTime(job.assignedAt),
      started_at: brokerTime(job.assignedAt),
      finished_at: brokerTime(job.finishedAt),
      duration: duration === undefined ? null : duration / 1000,
      cost: job.cost,
      build_logs: job.buildLogs,
      stdout: job.stdout,
      stderr: job.stderr,
      result: job.result,
      ...(lease === undefined || job.status !== JOB_STATUS.IN_PROGRESS ? {} : { lease_seconds: lease }),
      ...this.#now(),
    };
  }

  account(user: UserRow): View {
    const { uuid, username, balance, earned, spent } = user;
    return { uuid, username, balance, earned, spent, ...this.#now() };
  }

  #now(): View {
    return { current_server_time: brokerTime(this.#store.clock.now()) };
  }
}

/** A run's resource without `current_server_time`, so that it can be cached. */
export function runWithoutTime(run: RunRow): View {
  return {
    uuid: run.uuid,
    function: run.function,
    function_name: run.functionName,
    parameters: run.parameters,
    num_jobs: run.numJobs,
    bid_price: run.bidPrice,
    base_gpu: run.baseGpu,
    base_gpu_name: run.baseGpuName,
    created_at: brokerTime(run.createdAt),
  };
}

/** `host:5000/sharedcloud/python36:1.2` is the image `python36` with the tag `1.2`. */
function nameAndTag(registryPath: string): { readonly name: string; readonly tag: string } {
  const last = registryPath.slice(registryPath.lastIndexOf('/') + 1);
  const [name = last, tag = 'latest'] = last.split(':');
  return { name, tag };
}
