import type { Gpu } from '../../src/domain/gpu.ts';
import type { NewJob } from '../../src/domain/job.ts';
import type { Offer } from '../../src/domain/offer.ts';
import type { Listed } from '../../src/domain/ports/broker.ts';
import type { FunctionSpec, FunctionWithCode, ImageInfo, OpenRun, Run } from '../../src/domain/run.ts';
import type { Session } from '../../src/domain/session.ts';

/** What jobs of CPU runs use where local processes run them. */
export const CPU_IMAGE = 'sharedcloud/node24:latest';

/** Small valid things of the domain, to be changed where a test cares. */

export const IMAGE_NAME = 'sharedcloud/python36:latest';

export function aRun(more: Partial<Run> = {}): Run {
  return {
    uuid: 'run-1',
    functionUuid: 'function-1',
    functionName: 'hello',
    baseGpu: null,
    baseGpuName: 'n/a',
    numJobs: 1,
    bidPrice: 0.1,
    createdAt: 1000,
    ...more,
  };
}

export function aFunction(more: Partial<FunctionSpec> = {}): FunctionSpec {
  return {
    uuid: 'function-1',
    name: 'hello',
    runtime: 'python36',
    imageUuid: 'image-1',
    registryPath: IMAGE_NAME,
    ...more,
  };
}

export function aFunctionWithCode(more: Partial<FunctionSpec> = {}): FunctionWithCode {
  return { spec: aFunction(more), code: Buffer.from('def handler(event):\n    return 1\n') };
}

/** A list that was read to its end. */
export function listed<Item>(items: readonly Item[], more: Partial<Listed<Item>> = {}): Listed<Item> {
  return { items, invalid: [], moreInvalid: 0, isCut: false, busyMs: 0, ...more };
}

export function anImage(more: Partial<ImageInfo> = {}): ImageInfo {
  return { uuid: 'image-1', registryPath: IMAGE_NAME, requiresGpu: true, runtime: 'python36', ...more };
}

export function anOpenRun(run: Partial<Run> = {}, more: Partial<OpenRun> = {}): OpenRun {
  return { run: aRun(run), function: aFunction(), image: anImage(), ...more };
}

export function anOffer(more: Partial<Offer> = {}): Offer {
  return {
    key: 'gpu:NVIDIA T4',
    kind: 'gpu',
    name: 'here NVIDIA T4',
    gpu: { uuid: 'gpu-t4', name: 'Nvidia Tesla T4 16GB', codename: 't4', cudaCores: 2560 },
    cudaCores: 2560,
    wholeGpu: true,
    askPrice: 0.1,
    slots: [{ id: 'GPU-1#0', gpu: 'GPU-1' }],
    instance: 'instance-1',
    ...more,
  };
}

export function aNewJob(more: Partial<NewJob> = {}): NewJob {
  return {
    uuid: 'job-1',
    run: 'run-1',
    functionName: 'hello',
    offerKey: 'gpu:NVIDIA T4',
    instance: 'instance-1',
    slot: 'GPU-1#0',
    gpu: 'GPU-1',
    askPrice: 0.1,
    image: 'sha256:1',
    timeoutMs: 60_000,
    ...more,
  };
}

export function aGpu(more: Partial<Gpu> = {}): Gpu {
  return {
    uuid: 'GPU-1',
    index: 0,
    model: 'NVIDIA T4',
    busId: '00000000:01:00.0',
    driver: '550.90.07',
    memoryTotalMiB: 15_360,
    memoryUsedMiB: 4,
    utilizationPercent: 0,
    temperatureC: 40,
    powerDrawW: 14,
    powerLimitW: 70,
    migMode: false,
    slices: [],
    fault: undefined,
    ...more,
  };
}

/** Ada’s desktop, which she uses. */
export function aSession(more: Partial<Session> = {}): Session {
  return {
    id: '2',
    kind: 'user',
    type: 'wayland',
    user: 'ada',
    isRemote: false,
    isActive: true,
    isLocked: false,
    isIdle: false,
    idleSince: undefined,
    ageMs: 3_600_000,
    ...more,
  };
}
