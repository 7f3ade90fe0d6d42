import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { ContainerPlan } from '../../../src/domain/ports/runtime.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { DockerRuntime, type DockerRuntimeOptions } from '../../../src/runtime/docker/docker-runtime.ts';
import { BUSYBOX } from './find-engine.ts';

const MIB = 1024 * 1024;

/** A runtime at a test engine, with an agent id of its own and small limits. */
export function testRuntime(
  host: string,
  changes: Partial<Omit<DockerRuntimeOptions, 'limits'>> & {
    readonly limits?: Partial<DockerRuntimeOptions['limits']>;
  } = {},
): { readonly runtime: DockerRuntime; readonly agentId: string } {
  const agentId = changes.agentId ?? `test-${randomUUID()}`;
  const runtime = new DockerRuntime({
    host,
    gpuMode: 'device-requests',
    acceptNoSeccomp: false,
    clock: systemClock,
    hooks: { onProgress: () => undefined, checkDisk: async () => undefined },
    images: {
      allowed: ['*'],
      totalMs: 60_000,
      idleMs: 20_000,
      maxBytes: 2048 * MIB,
      refreshMs: 3_600_000,
    },
    ...changes,
    agentId,
    limits: {
      pidsLimit: 64,
      diskBytes: 1024 * MIB,
      openFiles: 4096,
      user: '65534:65534',
      runtime: 'runc',
      dns: [],
      ...changes.limits,
    },
  });
  return { runtime, agentId };
}

/** A plan for a job of a random uuid, in busybox, on no GPU. */
export function testPlan(changes: Partial<ContainerPlan> = {}): ContainerPlan {
  return {
    job: randomUUID(),
    run: randomUUID(),
    offerKey: 'cpu',
    image: BUSYBOX,
    inputDir: tmpdir(),
    env: {},
    gpu: null,
    resources: { memoryBytes: 128 * MIB, cpus: 1 },
    ...changes,
  };
}
