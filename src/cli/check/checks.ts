import { offerSettings } from '../../compose.ts';
import type { Loaded } from '../../config/config.ts';
import { valueOf } from '../query.ts';
import { judgeBroker, judgeClock } from './check-broker.ts';
import { judgeConfig, judgePrice, judgeToken } from './check-config.ts';
import { judgeEngine, judgeGpuAccess } from './check-engine.ts';
import { judgeCpuJobs, judgeGpus, judgeKernelLog } from './check-gpus.ts';
import { judgeMemory, judgeNode, judgeRooms, judgeStateDir } from './check-host.ts';
import { judgeNetwork } from './check-network.ts';
import type { CheckLine } from './check-result.ts';
import { judgeRisks } from './check-vulnerabilities.ts';
import type { Facts } from './collect.ts';

/** What to make of all that was seen, always in the same order. Pure. */
export function judge(loaded: Loaded, facts: Facts): readonly CheckLine[] {
  const { config } = loaded;
  const { gpuMode, jobRuntime: runtime } = config;
  const { catalogue, clocks, engine, gpuHook, gpus, host, kernelLog, nodeVersion, rooms } = facts;
  const { stateDir, token, toolkit } = facts;
  const settings = offerSettings(config);
  const found = valueOf(gpus) ?? [];
  return [
    judgeNode(nodeVersion),
    ...judgeConfig(loaded),
    judgePrice(config, found),
    judgeStateDir(config.stateDir, stateDir),
    judgeToken(token),
    judgeBroker(config.brokerUrl, catalogue, 'value' in token),
    judgeClock(clocks),
    judgeEngine(engine, { acceptNoSeccomp: config.acceptRisk.includes('no-seccomp'), gpuMode, runtime }),
    judgeGpuAccess(engine, { mode: gpuMode, wanted: found.length > 0, hook: gpuHook }),
    ...judgeRisks({ engine, gpus, toolkit }, config.acceptRisk),
    judgeNetwork(facts.network),
    ...judgeGpus({ gpus, cards: host.nvidiaCards, catalogue }, settings),
    ...(found.length > 0 ? [judgeKernelLog(kernelLog)] : []),
    judgeCpuJobs(config.cpuSlots),
    ...judgeRooms(config, rooms),
    judgeMemory(host.memory),
  ];
}
