import type { CatalogueGpu, Gpu } from '../domain/gpu.ts';
import type { JobNetwork } from '../domain/jobs-network.ts';
import type { OfferPlan } from '../domain/offer.ts';
import type { Broker } from '../domain/ports/broker.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import type { GpuProbe, KernelLog } from '../domain/ports/gpu.ts';
import type { JobFiles } from '../domain/ports/job-files.ts';
import type { Journal } from '../domain/ports/journal.ts';
import type { IsolatedNetwork } from '../domain/ports/network.ts';
import type { Runtime } from '../domain/ports/runtime.ts';
import type { DiskRoom } from '../host/free-disk.ts';
import type { Log } from '../lib/log.ts';
import type { AdmissionCheck } from './admission/resource-checks.ts';
import type { Observer } from './events/events.ts';
import type { AgentSettings } from './settings.ts';

/** What this host can put on the market, and what workers in the way. */
export type HostPlan = {
  readonly offers: readonly OfferPlan[];
  readonly problems: readonly { readonly what: string; readonly why: string; readonly hint: string }[];
};

export type AgentDeps = {
  readonly broker: Broker;
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly journal: Journal;
  readonly probe: GpuProbe;
  /** Where the driver tells of sick GPUs; undefined: it is not read. */
  readonly kernelLog?: KernelLog | undefined;
  /** Decides what to offer. */
  readonly planOffers: (gpus: readonly Gpu[], catalogue: readonly CatalogueGpu[]) => HostPlan;
  readonly clock: HostClock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly settings: AgentSettings;
  /** What this host is asked before every decision. */
  readonly questions: readonly AdmissionCheck[];
  /** What is left of the file system of a directory; undefined where nobody can tell. */
  readonly diskRoom: (path: string) => DiskRoom | undefined;
  /** How many processes the kernel has killed for want of memory; undefined: it does not tell. */
  readonly oomKills: () => number | undefined;
  /** What the owner wants jobs to reach. */
  readonly network: JobNetwork;
  /** Undefined where the runtime has no such network: then jobs have none. */
  readonly isolated: IsolatedNetwork | undefined;
  /** Reads the token again; answers whether it is another one than before. Throws where it cannot be read. */
  readonly reloadToken: () => Promise<boolean>;
};
