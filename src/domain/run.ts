/** A buyer's order on the market: a function, its parameters and a bid. Money is US dollars per job and minute. */
export type Run = {
  readonly uuid: string;
  readonly functionUuid: string;
  readonly functionName: string;
  /** The catalogue uuid of the smallest sufficient GPU; null: any GPU, or none needed. */
  readonly baseGpu: string | null;
  readonly baseGpuName: string;
  readonly numJobs: number;
  readonly bidPrice: number;
  /** In milliseconds of the broker's clock; not comparable with local times. */
  readonly createdAt: number;
};

/** What a run executes, without its code. `runtime` is the broker's name, such as `python27`, `python36` or `node8`. */
export type FunctionSpec = {
  readonly uuid: string;
  readonly name: string;
  readonly runtime: string;
  readonly imageUuid: string;
  readonly registryPath: string;
};

/** A function with its code in UTF-8. */
export type FunctionWithCode = { readonly spec: FunctionSpec; readonly code: Uint8Array };

/** An image of the broker's catalogue. */
export type ImageInfo = {
  readonly uuid: string;
  readonly registryPath: string;
  readonly requiresGpu: boolean;
  readonly runtime: string;
};

/** A run with its function and image; undefined until they are looked up. */
export type OpenRun = {
  readonly run: Run;
  readonly function: FunctionSpec | undefined;
  readonly image: ImageInfo | undefined;
};
