import type { EngineIdentity } from '../../../src/domain/engine-identity.ts';
import type { Runtime } from '../../../src/domain/ports/runtime.ts';
import { withOther } from './with-other.ts';

export const ENGINE: EngineIdentity = { id: 'e', dataRoot: '/data', endpoint: 'unix:///run/docker.sock' };

/** Local processes as an engine that has no image before it is pulled. */
export function asEngine(_: string, processes: Runtime): Runtime {
  return withOther(processes, {
    identity: () => Promise.resolve(ENGINE),
    images: {
      find: () => Promise.resolve(undefined),
      prepare: async (ref, signal) => ({
        ...(await processes.images.prepare(ref, signal)),
        broughtId: 'sha256:1',
      }),
    },
  });
}
