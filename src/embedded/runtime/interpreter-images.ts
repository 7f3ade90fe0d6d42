import { AgentError } from '../../domain/errors.ts';
import { canonicalImageRef, parseImageRef } from '../../domain/image-ref.ts';
import type { Images, ReadyImage } from '../../domain/ports/runtime.ts';

/** A command that takes a program as its last argument: `['python3', '-c']`. */
export type Interpreter = readonly [command: string, ...args: readonly string[]];

/** The interpreters by the image that they replace, such as `sharedcloud/python36:latest`. */
export type Interpreters = Readonly<Record<string, Interpreter>>;

/** Interpreters of this machine in place of images. An image's id is its reference with the tag. */
export class InterpreterImages implements Images {
  readonly #byId: ReadonlyMap<string, Interpreter>;

  constructor(interpreters: Interpreters) {
    this.#byId = new Map(Object.entries(interpreters).map(([ref, argv]) => [idOf(ref), argv]));
  }

  find(ref: string): Promise<ReadyImage | undefined> {
    const id = idOf(ref);
    return Promise.resolve(this.#byId.has(id) ? { ref, id, sizeBytes: 0 } : undefined);
  }

  async prepare(ref: string): Promise<ReadyImage> {
    const ready = await this.find(ref);
    if (ready === undefined) throw notHere(ref);
    return ready;
  }

  /** The interpreter for an image. Throws IMAGE_NOT_FOUND. */
  interpreter(id: string): Interpreter {
    const found = this.#byId.get(id);
    if (found === undefined) throw notHere(id);
    return found;
  }
}

function idOf(ref: string): string {
  const parsed = parseImageRef(ref);
  return parsed === undefined ? ref : canonicalImageRef(parsed);
}

function notHere(ref: string): AgentError {
  return new AgentError('IMAGE_NOT_FOUND', `this machine has no interpreter for the image ${ref}`, {
    hint: 'run the dry run with --docker',
  });
}
