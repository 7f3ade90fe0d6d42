/** A buyer's order as it stands on the market: a function, its parameters and a bid. Money is US dollars per job and minute. */
export type Run = {
  readonly uuid: string;
  readonly functionUuid: string;
  readonly functionName: string;
  /** Catalogue uuid of the least GPU that will do; null where any will, or none is needed. */
  readonly baseGpu: string | null;
  readonly baseGpuName: string;
  /** A Python literal, a tuple of tuples: one inner tuple per job. */
  readonly parameters: string;
  readonly numJobs: number;
  readonly bidPrice: number;
  /** In milliseconds of the broker's own clock: to be compared with that alone, never with a local time. */
  readonly createdAt: number;
};

/** What a run executes. `runtime` is the platform's word: `python27`, `python36`, `node8`, ... */
export type FunctionSpec = {
  readonly uuid: string;
  readonly name: string;
  readonly code: string;
  readonly runtime: string;
  readonly imageUuid: string;
  readonly registryPath: string;
};

/** An image of the platform's catalogue. */
export type ImageInfo = {
  readonly uuid: string;
  readonly registryPath: string;
  readonly requiresGpu: boolean;
  readonly runtime: string;
};

/** A run together with what it points to; `undefined` until that has been looked up. */
export type OpenRun = {
  readonly run: Run;
  readonly function: FunctionSpec | undefined;
  readonly image: ImageInfo | undefined;
};
