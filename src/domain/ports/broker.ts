import type { CatalogueGpu } from '../gpu.ts';
import type { BrokerJob, JobWithArguments, Report } from '../job.ts';
import type { OfferPlan } from '../offer.ts';
import type { FunctionWithCode, ImageInfo, Run } from '../run.ts';

/** An unusable item of a list, and why. */
export type InvalidItem = { readonly uuid: string | undefined; readonly reason: string };

/** A list that was read. */
export type Listed<Item> = {
  readonly items: readonly Item[];
  /** The first of the unusable items. */
  readonly invalid: readonly InvalidItem[];
  /** How many more unusable items there are. */
  readonly moreInvalid: number;
  /** Whether the list is longer than what was read of it. */
  readonly isCut: boolean;
  /** How long this process was busy with it, in milliseconds. */
  readonly busyMs: number;
};

/** The broker's answer to one poll for runs. If `unchanged` (304), `runs` is empty and to be ignored. */
export type MarketAnswer = Omit<Listed<Run>, 'items'> & {
  readonly unchanged: boolean;
  /** Of a list that is too long the runs with the highest bids. */
  readonly runs: readonly Run[];
  readonly etag: string | undefined;
  /** Whether the broker held the call (`Preference-Applied: wait`), so that the next call may follow at once. */
  readonly waited: boolean;
  readonly retryAfterMs: number | undefined;
};

/** The broker's final answer to a claim. Everything else is thrown. */
export type ClaimAnswer =
  | { readonly kind: 'claimed'; readonly job: JobWithArguments }
  | { readonly kind: ClaimRejection };

/** Why a claim brought no job: another host has it, the ask is above the bid, or the broker does not know it any more. */
export type ClaimRejection = 'lost' | 'underbid' | 'gone';

/** The broker's final answer to a report or a release. Everything else is thrown. */
export type ReportAnswer =
  | { readonly kind: 'taken'; readonly cost: number | undefined }
  | { readonly kind: 'not-ours' | 'gone' };

/** An instance at the broker. */
export type Instance = {
  readonly uuid: string;
  readonly name: string;
  readonly kind: 'gpu' | 'cpu';
  readonly gpu: string | null;
  readonly askPrice: number;
  readonly maxParallelJobs: number;
  /** Whether the broker says that the instance is on the market. */
  readonly available: boolean;
};

/** An offer on the market, of any provider. */
export type MarketOffer = {
  /** Undefined: the broker does not say. */
  readonly instance: string | undefined;
  /** The name of its entry in the catalogue; undefined: it takes CPU jobs. */
  readonly gpuName: string | undefined;
  /** US dollars per job and minute. */
  readonly askPrice: number;
};

/** The broker, one method per endpoint. Throws BROKER_*. Nothing is retried here; the agent decides that. */
export interface Broker {
  runs(query: {
    /** The polling instance; undefined: none, so that the broker filters nothing. */
    readonly instance: string | undefined;
    readonly etag: string | undefined;
    readonly waitSeconds: number;
    readonly signal: AbortSignal;
  }): Promise<MarketAnswer>;
  /** undefined: 404. */
  run(uuid: string, signal: AbortSignal): Promise<Run | undefined>;
  /** undefined: 404. Throws FUNCTION_INVALID where its code is too long. */
  function(uuid: string, signal: AbortSignal): Promise<FunctionWithCode | undefined>;
  /** undefined: 404. */
  image(uuid: string, signal: AbortSignal): Promise<ImageInfo | undefined>;
  /** The catalogue of GPUs. */
  gpus(signal: AbortSignal): Promise<Listed<CatalogueGpu>>;
  /** What all providers ask at the moment. */
  offers(signal: AbortSignal): Promise<Listed<MarketOffer>>;
  /** The broker's clock and the local wall clock at about the same moment, in milliseconds; undefined: no clock. */
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
  /** The run's first jobs that are CREATED; cut where there are more. The broker's filter is not trusted. */
  openJobs(run: string, signal: AbortSignal): Promise<Listed<JobWithArguments>>;
  /** All jobs in progress at this instance; renews their leases. The broker's filter is not trusted. */
  heldJobs(instance: string, signal: AbortSignal): Promise<Listed<BrokerJob>>;
  /** undefined: 404. */
  job(uuid: string, signal: AbortSignal): Promise<BrokerJob | undefined>;
  claim(job: string, instance: string, signal: AbortSignal): Promise<ClaimAnswer>;
  release(job: string, instance: string, signal: AbortSignal): Promise<ReportAnswer>;
  report(job: string, instance: string, report: Report, signal: AbortSignal): Promise<ReportAnswer>;
}
