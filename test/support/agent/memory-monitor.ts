import type { MemoryFacts } from '../../../src/domain/oom.ts';
import type { MemoryMonitor } from '../../../src/domain/ports/host.ts';

/** A host that knows nothing of its memory. */
export const NO_MEMORY_FACTS: MemoryFacts = {
  kernelKills: undefined,
  cgroup: undefined,
  unified: false,
  wasShort: false,
};

/** A monitor that answers these facts. */
export function memoryMonitor(facts: () => MemoryFacts = () => NO_MEMORY_FACTS): MemoryMonitor {
  return { watch: () => ({ facts, [Symbol.dispose]: () => undefined }) };
}
