import { offerSettings } from '../../compose.ts';
import type { Loaded } from '../../config/config.ts';
import { unmetByGvisor } from '../../domain/gvisor.ts';
import type { OfferSettings } from '../../domain/plan-offers.ts';
import { valueOf } from '../query.ts';
import { checkAgent } from './check-agent.ts';
import { checkBroker, checkClock } from './check-broker.ts';
import { checkConfig, checkPrice, checkToken } from './check-config.ts';
import { checkConnection, checkDockerProxy } from './check-connection.ts';
import { checkContainer, checkGpuContainers } from './check-containers.ts';
import { checkElectricity } from './check-electricity.ts';
import { checkEngine } from './check-engine.ts';
import { checkGpuAccess } from './check-gpu-access.ts';
import { checkGpuMemory } from './check-gpu-memory.ts';
import { checkGpuTemperature } from './check-gpu-temperature.ts';
import { checkCpuJobs, checkGpus, checkKernelLog } from './check-gpus.ts';
import { checkDisks, checkHost, checkMemory, checkNode, checkStateDir } from './check-host.ts';
import { checkNetwork } from './check-network.ts';
import { checkNotifications } from './check-notifications.ts';
import { checkPage } from './check-page.ts';
import { checkPresence } from './check-presence.ts';
import { checkRegistries } from './check-registries.ts';
import type { CheckResult } from './check-result.ts';
import { checkSchedule } from './check-schedule.ts';
import { checkTrafficLog } from './check-traffic-log.ts';
import { checkVulnerabilities } from './check-vulnerabilities.ts';
import { engineNeeds, type Facts } from './collect.ts';

/** The results of all checks, always in the same order. Pure. */
export function runChecks(loaded: Loaded, facts: Facts): readonly CheckResult[] {
  const { config } = loaded;
  const { gpuMode, jobRuntime: runtime } = config;
  const { catalogue, clocks, engine, gpuHook, gpus, host, kernelLog, nodeVersion, fileSystems } = facts;
  const { platform, stateDir, token, toolkit } = facts;
  const { gvisor } = facts;
  const settings: OfferSettings = {
    ...offerSettings(config),
    unsuitable: (gpu) => gvisor && unmetByGvisor(gpu, gvisor),
  };
  const found = valueOf(gpus)?.gpus ?? [];
  return [
    checkNode(nodeVersion),
    checkHost(host, platform),
    ...checkConfig(loaded),
    checkPrice(config, found),
    ...checkElectricity(config, facts.electricity, Date.now()),
    ...checkNotifications(config, Date.now),
    ...checkSchedule(config, valueOf(gpus)?.gpus),
    checkStateDir(config.stateDir, stateDir),
    ...checkAgent(facts.agent),
    ...checkPage(config, facts.page),
    checkToken(token),
    ...checkConnection(facts.connection),
    checkBroker(config.brokerUrl, catalogue, 'value' in token),
    checkClock(clocks),
    checkEngine(engine, engineNeeds(config), facts.endpoint),
    ...checkDockerProxy(facts.connection, engine),
    checkRegistries(facts.registries),
    ...checkGpuAccess(engine, { mode: gpuMode, runtime, gpus: found, hook: gpuHook }),
    ...checkVulnerabilities({ engine, gpus: found, toolkit }, config.acceptRisk),
    checkContainer(facts.containers),
    checkNetwork(facts.network),
    ...checkTrafficLog(facts.trafficLog),
    ...checkGpus({ reading: gpus, cards: host.nvidiaCards, catalogue }, settings),
    ...checkGpuMemory(found, config.minFreeGpuMemory, host.memory),
    ...checkGpuTemperature(config, found),
    ...checkGpuContainers(facts.containers, found),
    ...(found.length > 0 ? [checkKernelLog(kernelLog, platform)] : []),
    ...checkPresence(config, found, facts.presence),
    checkCpuJobs(config.cpuSlots),
    ...checkDisks(config, fileSystems),
    checkMemory(host.memory),
  ];
}
