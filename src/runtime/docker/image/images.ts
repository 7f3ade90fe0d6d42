import type Docker from 'dockerode';
import PQueue from 'p-queue';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { canonicalImageRef, type ImageRef, imageAllowed, parseImageRef } from '../../../domain/image-ref.ts';
import type { Clock } from '../../../domain/ports/clock.ts';
import type { Images, ReadyImage } from '../../../domain/ports/runtime.ts';
import { SingleFlight } from '../../../lib/single-flight.ts';
import { callEngine } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import { type ImageConfig, readImage } from './config.ts';
import { type PullHooks, type PullLimits, pullImage, refuseOversize } from './pull.ts';

/** The owner's rules for images; times in milliseconds. */
export type ImageRules = PullLimits & {
  /** Patterns of the images that may be used, such as `sharedcloud/*`. */
  readonly allowed: readonly string[];
  /** How long an image that was pulled counts as the one that its tag means: tags move. */
  readonly refreshMs: number;
  /** How long the engine may take to describe an image. */
  readonly lookMs: number;
};

/** So many descriptions of images are kept. */
const MOST_DESCRIBED = 100;

/** How many images are pulled at once. */
const PULLS_AT_ONCE = 2;

/** The images of one engine. No credentials: only what anybody may pull. */
export class DockerImages implements Images {
  readonly #docker: Docker;
  readonly #rules: ImageRules;
  readonly #hooks: PullHooks;
  readonly #clock: Clock;
  readonly #pulls = new PQueue({ concurrency: PULLS_AT_ONCE });
  readonly #shared = new SingleFlight<ReadyImage>();
  /** What images that are named by their content are like: that never changes. */
  readonly #described = new Map<string, ImageConfig>();
  /** When each image was last asked of its registry, by the monotonic clock. */
  readonly #askedAt = new Map<string, number>();

  constructor(docker: Docker, rules: ImageRules, hooks: PullHooks, clock: Clock) {
    this.#docker = docker;
    this.#rules = rules;
    this.#hooks = hooks;
    this.#clock = clock;
  }

  async find(ref: string): Promise<ReadyImage | undefined> {
    const parsed = parseImageRef(ref);
    if (parsed === undefined || !imageAllowed(ref, this.#rules.allowed)) return undefined;
    const found = await this.#look(ref, parsed);
    return found === undefined || found.sizeBytes > this.#rules.maxBytes ? undefined : found;
  }

  async prepare(ref: string, signal: AbortSignal): Promise<ReadyImage> {
    const parsed = parseImageRef(ref);
    if (parsed === undefined || !imageAllowed(ref, this.#rules.allowed)) {
      throw new AgentError(
        'IMAGE_REFUSED',
        `image ${JSON.stringify(ref.slice(0, 200))} is not on your list`,
        {
          hint: 'add a pattern for it to --images if you trust it',
        },
      );
    }
    const key = canonicalImageRef(parsed);
    return this.#shared.run(key, (shared) => this.#prepare(ref, parsed, key, shared), signal);
  }

  /**
   * What a container made of this image must know about it. `image` is a ReadyImage's id. Whether the image is still
   * here, the creation will tell.
   */
  async describe(image: string): Promise<ImageConfig> {
    const known = this.#described.get(image);
    if (known !== undefined) return known;
    const config = await this.#inspect(image);
    if (config === undefined) throw new AgentError('IMAGE_NOT_FOUND', `image ${image} is no longer here`);
    if (this.#described.size >= MOST_DESCRIBED) this.#described.clear();
    if (/sha256:[0-9a-f]{64}$/.test(image)) this.#described.set(image, config);
    return config;
  }

  async #prepare(ref: string, parsed: ImageRef, key: string, signal: AbortSignal): Promise<ReadyImage> {
    const here = await this.#look(ref, parsed);
    const usable = here === undefined || here.sizeBytes > this.#rules.maxBytes ? undefined : here;
    const pinned = parsed.digest !== undefined;
    const age = this.#clock.monotonic() - (this.#askedAt.get(key) ?? Number.NEGATIVE_INFINITY);
    if (usable !== undefined && (pinned || age < this.#rules.refreshMs)) return usable;
    try {
      const tag = parsed.digest ?? parsed.tag ?? 'latest';
      const request = { ref, repository: parsed.repository, tag };
      const pull = (): Promise<void> => pullImage(this.#docker, request, this.#rules, this.#hooks, signal);
      await this.#pulls.add(pull, { signal });
    } catch (thrown) {
      const { code } = asAgentError(thrown);
      const registryFailed = code === 'IMAGE_PULL_FAILED' || code === 'IMAGE_NOT_FOUND';
      if (usable === undefined || !registryFailed || signal.aborted) throw thrown;
    }
    this.#askedAt.set(key, this.#clock.monotonic());
    return this.#take(ref, parsed, here);
  }

  /** The image as it is after a pull; one that turned out too large goes again, unless it was here before. */
  async #take(ref: string, parsed: ImageRef, before: ReadyImage | undefined): Promise<ReadyImage> {
    const pulled = await this.#look(ref, parsed);
    if (pulled === undefined) {
      throw new AgentError('IMAGE_PULL_FAILED', `image ${ref} was pulled and is not here`);
    }
    if (pulled.sizeBytes > this.#rules.maxBytes && pulled.id !== before?.id)
      await this.#discard(canonicalImageRef(parsed));
    refuseOversize(ref, pulled.sizeBytes, this.#rules.maxBytes);
    return pulled;
  }

  async #look(ref: string, parsed: ImageRef): Promise<ReadyImage | undefined> {
    const config = await this.#inspect(canonicalImageRef(parsed));
    if (config === undefined) return undefined;
    const digest = config.digests.find((digest) => digest.startsWith(`${parsed.repository}@`));
    return { ref, id: digest ?? config.id, sizeBytes: config.sizeBytes };
  }

  async #inspect(name: string): Promise<ImageConfig | undefined> {
    const doing = `inspect image ${name}`;
    const answer: unknown = await callEngine({ doing, ms: this.#rules.lookMs }, async () => {
      try {
        return await this.#docker.getImage(name).inspect();
      } catch (thrown) {
        if (readFault(thrown).status === 404) return undefined;
        throw engineError(thrown, doing);
      }
    });
    return answer === undefined ? undefined : readImage(answer);
  }

  /** Takes an image away again; where something still uses it, it stays. */
  async #discard(name: string): Promise<void> {
    await callEngine({ doing: `remove image ${name}`, ms: this.#rules.lookMs }, async (abortSignal) => {
      try {
        // By its tag, where it has one: without its digest alone it would stay.
        await this.#docker.getImage(name).remove({ abortSignal });
      } catch (thrown) {
        const { status } = readFault(thrown);
        if (status !== 404 && status !== 409) throw thrown;
      }
    });
  }
}
