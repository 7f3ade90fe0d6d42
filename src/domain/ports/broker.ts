import type { CatalogueGpu } from '../gpu.ts';
import type { BrokerJob, Report } from '../job.ts';
import type { OfferPlan } from '../offer.ts';
import type { FunctionSpec, ImageInfo, Run } from '../run.ts';

/** One item of a list that could not be used, and why. */
export type InvalidItem = { readonly uuid: string | undefined; readonly reason: string };

/** The items of a list that can be used, and those that cannot. */
export type Listed<Item> = { readonly items: readonly Item[]; readonly invalid: readonly InvalidItem[] };

/** One look at the market. `unchanged` where the broker said so (304): then `runs` is empty and means nothing. */
export type MarketAnswer = {
  readonly unchanged: boolean;
  readonly runs: readonly Run[];
  readonly invalid: readonly InvalidItem[];
  readonly etag: string | undefined;
  /** Whether the broker held the call (`Preference-Applied`), so that the next may follow at once. */
  readonly waited: boolean;
  readonly retryAfterMs: number | undefined;
};

/** How a claim ended where the broker gave a final word. Everything else is thrown. */
export type ClaimAnswer =
  | { readonly kind: 'claimed'; readonly job: BrokerJob }
  | { readonly kind: 'lost' | 'underbid' | 'gone' };

/** How a report or a release ended where the broker gave a final word. Everything else is thrown. */
export type ReportAnswer =
  | { readonly kind: 'taken'; readonly cost: number | undefined }
  | { readonly kind: 'not-ours' | 'gone' };

/** An instance as the broker knows it. */
export type Instance = {
  readonly uuid: string;
  readonly name: string;
  readonly kind: 'gpu' | 'cpu';
  readonly gpu: string | null;
  readonly askPrice: number;
  readonly maxParallelJobs: number;
  /** Whether it is on the market, as far as the broker says. */
  readonly available: boolean;
  readonly downloadedImages: readonly string[];
};

/** The broker, a method per endpoint. Nothing is retried in here: that is the agent's decision. */
export interface Broker {
  runs(query: {
    /** Who looks; undefined: nobody in particular, so that the broker leaves nothing out. */
    readonly instance: string | undefined;
    readonly etag: string | undefined;
    readonly waitSeconds: number;
    readonly signal: AbortSignal;
  }): Promise<MarketAnswer>;
  /** undefined: the run no longer stands (404). */
  run(uuid: string, signal: AbortSignal): Promise<Run | undefined>;
  /** undefined: 404. */
  function(uuid: string, signal: AbortSignal): Promise<FunctionSpec | undefined>;
  /** undefined: 404. */
  image(uuid: string, signal: AbortSignal): Promise<ImageInfo | undefined>;
  /** The catalogue of GPUs. */
  gpus(signal: AbortSignal): Promise<Listed<CatalogueGpu>>;
  /** The broker's clock, in milliseconds, beside the local wall clock at about that moment. */
  clock(signal: AbortSignal): Promise<{ readonly brokerMs: number; readonly localMs: number } | undefined>;
  /** All instances of this account. */
  instances(signal: AbortSignal): Promise<Listed<Instance>>;
  /** undefined: 404. */
  instance(uuid: string, signal: AbortSignal): Promise<Instance | undefined>;
  createInstance(plan: OfferPlan, signal: AbortSignal): Promise<Instance>;
  updateInstance(uuid: string, plan: OfferPlan, signal: AbortSignal): Promise<Instance>;
  startInstance(uuid: string, signal: AbortSignal): Promise<void>;
  stopInstance(uuid: string, signal: AbortSignal): Promise<void>;
  addImage(instance: string, registryPath: string, signal: AbortSignal): Promise<void>;
  /** The run's jobs that are CREATED. The broker's filter is not trusted. */
  openJobs(run: string, signal: AbortSignal): Promise<Listed<BrokerJob>>;
  /** The jobs that the broker thinks this instance holds; renews their leases. The broker's filter is not trusted. */
  heldJobs(instance: string, signal: AbortSignal): Promise<Listed<BrokerJob>>;
  /** undefined: 404. */
  job(uuid: string, signal: AbortSignal): Promise<BrokerJob | undefined>;
  claim(job: string, instance: string, signal: AbortSignal): Promise<ClaimAnswer>;
  release(job: string, instance: string, signal: AbortSignal): Promise<ReportAnswer>;
  report(job: string, instance: string, report: Report, signal: AbortSignal): Promise<ReportAnswer>;
}
