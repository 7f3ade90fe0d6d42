import { AgentError } from '../../domain/errors.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { FunctionSpec, FunctionWithCode } from '../../domain/run.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { LIMITS } from '../../limits.ts';

/** The code of functions, fetched when their runs are resolved and remembered for the claims as far as it fits. */
export class FunctionCode {
  readonly #broker: Pick<Broker, 'function'>;
  /** By uuid; what was used last comes last. */
  readonly #known = new Map<string, FunctionWithCode>();
  readonly #calls = new SingleFlight<FunctionWithCode | undefined>();
  #bytes = 0;

  constructor(broker: Pick<Broker, 'function'>) {
    this.#broker = broker;
  }

  /** Fetches a function and remembers its code; undefined: the broker does not know it. Throws what its client throws. */
  async find(uuid: string, signal: AbortSignal): Promise<FunctionSpec | undefined> {
    return (await this.#fetch(uuid, signal))?.spec;
  }

  /**
   * The code of a function that was found, fetched again where it is forgotten; undefined: the function has changed since,
   * and is to be found again. Throws BROKER_NOT_FOUND and what the broker's client throws.
   */
  async of(fn: FunctionSpec, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const known = this.#known.get(fn.uuid) ?? (await this.#fetch(fn.uuid, signal));
    if (known === undefined)
      throw new AgentError('BROKER_NOT_FOUND', `the broker does not know function ${fn.uuid} any more`);
    this.#remember(known);
    const { imageUuid, registryPath, runtime } = known.spec;
    const isSame = imageUuid === fn.imageUuid && registryPath === fn.registryPath && runtime === fn.runtime;
    return isSame ? known.code : undefined;
  }

  /** How many bytes a function's code has, at most where it would have to be fetched. */
  maxBytes({ uuid }: FunctionSpec): number {
    return this.#known.get(uuid)?.code.length ?? LIMITS.broker.code.max;
  }

  #fetch(uuid: string, signal: AbortSignal): Promise<FunctionWithCode | undefined> {
    return this.#calls.run(
      uuid,
      async (inTime) => {
        const found = await this.#broker.function(uuid, inTime);
        if (found?.spec.uuid === uuid) this.#remember(found);
        return found;
      },
      signal,
    );
  }

  #remember(found: FunctionWithCode): void {
    const { uuid } = found.spec;
    this.#bytes += found.code.length - (this.#known.get(uuid)?.code.length ?? 0);
    this.#known.delete(uuid);
    this.#known.set(uuid, found);
    for (const [oldest, { code }] of this.#known) {
      if (this.#bytes <= LIMITS.broker.codeInMemory.max) break;
      this.#known.delete(oldest);
      this.#bytes -= code.length;
    }
  }
}
