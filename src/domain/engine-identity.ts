/** Which Docker engine the containers of open jobs are on. */
export type EngineIdentity = {
  /** The engine's own id; undefined: it names none. Docker before 23 keeps one for all engines of a machine. */
  readonly id: string | undefined;
  /** Its directory of images and containers; tells the engines of one machine apart. */
  readonly dataRoot: string | undefined;
  /** How it is reached, such as `unix:///run/docker.sock`, without links; a copied machine has an engine of the same id. */
  readonly endpoint: string;
};

/** Whether both are certainly one engine. */
export function isSameEngine(a: EngineIdentity, b: EngineIdentity): boolean {
  return a.id === b.id && a.dataRoot === b.dataRoot && a.endpoint === b.endpoint;
}

/** Names an engine's data in the journal; undefined: it may be that of another engine. */
export function engineKey({ dataRoot, endpoint, id }: EngineIdentity): string | undefined {
  return id === undefined || dataRoot === undefined ? undefined : JSON.stringify([id, dataRoot, endpoint]);
}

/**
 * Whether `now` may be the engine `before` after it was installed again or got another directory: at the same socket of this
 * machine. Then what runs on this machine shows whether the containers are gone.
 */
export function mayReplace(before: EngineIdentity, now: EngineIdentity): boolean {
  return before.endpoint === now.endpoint && now.endpoint.startsWith('unix:');
}
