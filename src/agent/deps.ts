import type { Gpu } from '../domain/gpu.ts';
import type { JobNetwork } from '../domain/jobs-network.ts';
import type { NamedGpu } from '../domain/named-catalogue.ts';
import type { OfferPlan } from '../domain/offer.ts';
import type { HostPlan } from '../domain/plan-offers.ts';
import type { Broker } from '../domain/ports/broker.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import type { GpuProbe, KernelLog } from '../domain/ports/gpu.ts';
import type { GpuProcesses } from '../domain/ports/gpu-processes.ts';
import type { GpuRollups } from '../domain/ports/gpu-rollups.ts';
import type { GpuSampler } from '../domain/ports/gpu-samples.ts';
import type { DiskSpace, HaltWatch, HostMemory, MemoryMonitor } from '../domain/ports/host.ts';
import type { JobFiles } from '../domain/ports/job-files.ts';
import type { Journal } from '../domain/ports/journal.ts';
import type { MarketHistory } from '../domain/ports/market-history.ts';
import type { IsolatedNetwork } from '../domain/ports/network.ts';
import type { ProcessOwners } from '../domain/ports/process-owners.ts';
import type { JobResources, Runtime } from '../domain/ports/runtime.ts';
import type { Sessions } from '../domain/ports/sessions.ts';
import type { PresencePolicy } from '../domain/presence.ts';
import type { Schedule } from '../domain/schedule/availability.ts';
import type { Log } from '../lib/log.ts';
import type { SourcedElectricity } from '../pricing/electricity.ts';
import type { AdmissionCheck } from './admission/resource-checks.ts';
import type { Observer } from './events/events.ts';
import type { ImageDiskRules } from './images/image-room.ts';
import type { VulnerabilityGate } from './offers/vulnerability-gate.ts';
import type { AskSettings, MarketSight, OfferCost } from './pricing/pricer.ts';
import type { AgentSettings } from './settings.ts';

/** What shows whether the owner of this host is here. */
export type PresencePorts = {
  readonly policyOf: (gpu: Gpu) => PresencePolicy;
  readonly processes: GpuProcesses;
  readonly owners: ProcessOwners;
  readonly sessions: Sessions;
};

/** What an agent is built from. */
export type AgentDeps = {
  readonly broker: Broker;
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly journal: Journal;
  readonly probe: GpuProbe;
  /** Undefined: the GPUs are not sampled. */
  readonly samples?: GpuSampler | undefined;
  /** Where the use of GPUs is kept; undefined: nowhere. */
  readonly rollups?: GpuRollups | undefined;
  /** What power costs. */
  readonly electricity: SourcedElectricity;
  /** Undefined: no GPU yields to its owner. */
  readonly presence?: PresencePorts | undefined;
  /** Undefined: Xids are not monitored. */
  readonly kernelLog?: KernelLog | undefined;
  /** Undefined: the host's versions are not checked for known vulnerabilities. */
  readonly vulnerabilities?: VulnerabilityGate | undefined;
  readonly planOffers: (gpus: readonly Gpu[], catalogue: readonly NamedGpu[]) => HostPlan;
  /** What the owner sets for what an offer asks. */
  readonly askSettings: (offer: OfferPlan) => AskSettings;
  /** What a job of an offer costs; absent: by the measured power of its GPUs. */
  readonly offerCost?: ((offer: OfferPlan) => OfferCost | undefined) | undefined;
  /** Where the market is recorded; absent: nowhere. */
  readonly marketHistory?: MarketHistory | undefined;
  /** What is known of the market of an offer; absent: nothing. */
  readonly marketSight?: ((offer: OfferPlan) => Promise<MarketSight | undefined>) | undefined;
  readonly clock: HostClock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly settings: AgentSettings;
  /** When the owner lets jobs run. */
  readonly schedule: Schedule;
  /** What is checked before every claim, beside engine and state directory. */
  readonly admissionChecks: readonly AdmissionCheck[];
  /** What keeps images on the engine's disk; absent: none is evicted, and none pulled ahead. */
  readonly imageDisk?: ImageDiskRules | undefined;
  /** What is left of the file system of a path; undefined where that is not known. */
  readonly diskSpace: (path: string) => DiskSpace | undefined;
  /** Whether none of these containers runs on this machine; false: not known. */
  readonly noneRuns: (containers: readonly string[]) => boolean;
  readonly memory: MemoryMonitor;
  readonly watchHalts: HaltWatch;
  /** When systemd last read its units again, by the wall clock; undefined: not known. */
  readonly systemdReloadedAt: () => number | undefined;
  /** The host's memory, which some GPUs share; undefined: it cannot be read. */
  readonly hostMemory: () => HostMemory | undefined;
  /** What each of so many jobs at once may use. */
  readonly jobResources: (slots: number) => JobResources;
  /** The network that the owner wants jobs to have. */
  readonly network: JobNetwork;
  /** Undefined where the runtime has no such network: then jobs have none. */
  readonly isolated: IsolatedNetwork | undefined;
  /** Reads the token again; answers whether it has changed. Throws where it cannot be read. */
  readonly reloadToken: () => Promise<boolean>;
};
