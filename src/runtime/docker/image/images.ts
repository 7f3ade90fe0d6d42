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
  /** How long a pulled tag counts as current. */
  readonly refreshMs: number;
  /** How long the engine may take to inspect an image. */
  readonly inspectMs: number;
};

const MAX_CACHED_CONFIGS = 100;
const CONCURRENT_PULLS = 2;

/** The images of one engine. Pulls without credentials, so only public images. */
export class DockerImages implements Images {
  readonly #docker: Docker;
  readonly #rules: ImageRules;
  readonly #hooks: PullHooks;
  readonly #clock: Clock;
  readonly #pulls = new PQueue({ concurrency: CONCURRENT_PULLS });
  readonly #shared = new SingleFlight<ReadyImage>();
  /** Configs by digest or id. They never change. */
  readonly #configs = new Map<string, ImageConfig>();
  /** When each image was last pulled, by the monotonic clock. */
  readonly #pulledAt = new Map<string, number>();

  constructor(docker: Docker, rules: ImageRules, hooks: PullHooks, clock: Clock) {
    this.#docker = docker;
    this.#rules = rules;
    this.#hooks = hooks;
    this.#clock = clock;
  }

  async find(ref: string): Promise<ReadyImage | undefined> {
    const parsed = parseImageRef(ref);
    if (parsed === undefined || !imageAllowed(ref, this.#rules.allowed)) return undefined;
    const found = await this.#find(ref, parsed);
    return found === undefined || found.sizeBytes > this.#rules.maxBytes ? undefined : found;
  }

  async prepare(ref: string, signal: AbortSignal): Promise<ReadyImage> {
    const parsed = parseImageRef(ref);
    if (parsed === undefined || !imageAllowed(ref, this.#rules.allowed)) {
      throw new AgentError(
        'IMAGE_REFUSED',
        `image ${JSON.stringify(ref.slice(0, 200))} is not allowed by --images`,
        {
          hint: 'add a pattern for it to --images, if you trust it',
        },
      );
    }
    const key = canonicalImageRef(parsed);
    return this.#shared.run(key, (shared) => this.#prepare(ref, parsed, key, shared), signal);
  }

  /**
   * What a container inherits from an image, given a ReadyImage's id. May answer from memory for an image that was
   * removed meanwhile; creating the container then fails.
   */
  async describe(image: string): Promise<ImageConfig> {
    const known = this.#configs.get(image);
    if (known !== undefined) return known;
    const config = await this.#inspect(image);
    if (config === undefined)
      throw new AgentError('IMAGE_NOT_FOUND', `image ${image} is no longer on this host`);
    if (this.#configs.size >= MAX_CACHED_CONFIGS) this.#configs.clear();
    if (/sha256:[0-9a-f]{64}$/.test(image)) this.#configs.set(image, config);
    return config;
  }

  async #prepare(ref: string, parsed: ImageRef, key: string, signal: AbortSignal): Promise<ReadyImage> {
    const found = await this.#find(ref, parsed);
    const usable = found === undefined || found.sizeBytes > this.#rules.maxBytes ? undefined : found;
    const pinned = parsed.digest !== undefined;
    const age = this.#clock.monotonic() - (this.#pulledAt.get(key) ?? Number.NEGATIVE_INFINITY);
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
    this.#pulledAt.set(key, this.#clock.monotonic());
    return this.#accept(ref, parsed, found);
  }

  /** The image after its pull. Removes one that is too large, unless it was on this host before. */
  async #accept(ref: string, parsed: ImageRef, before: ReadyImage | undefined): Promise<ReadyImage> {
    const pulled = await this.#find(ref, parsed);
    if (pulled === undefined) {
      throw new AgentError('IMAGE_PULL_FAILED', `image ${ref} was pulled but is not on this host`);
    }
    if (pulled.sizeBytes > this.#rules.maxBytes && pulled.id !== before?.id)
      await this.#discard(canonicalImageRef(parsed));
    refuseOversize(ref, pulled.sizeBytes, this.#rules.maxBytes);
    return pulled;
  }

  async #find(ref: string, parsed: ImageRef): Promise<ReadyImage | undefined> {
    const config = await this.#inspect(canonicalImageRef(parsed));
    if (config === undefined) return undefined;
    const digest = config.digests.find((digest) => digest.startsWith(`${parsed.repository}@`));
    return { ref, id: digest ?? config.id, sizeBytes: config.sizeBytes };
  }

  async #inspect(name: string): Promise<ImageConfig | undefined> {
    const action = `inspect image ${name}`;
    const answer: unknown = await callEngine({ action, ms: this.#rules.inspectMs }, async () => {
      try {
        return await this.#docker.getImage(name).inspect();
      } catch (thrown) {
        if (readFault(thrown).status === 404) return undefined;
        throw engineError(thrown, action);
      }
    });
    return answer === undefined ? undefined : readImage(answer);
  }

  /** Removes an image, unless a container uses it. */
  async #discard(name: string): Promise<void> {
    await callEngine({ action: `remove image ${name}`, ms: this.#rules.inspectMs }, async (abortSignal) => {
      try {
        // By tag if it has one: an image with a tag stays when only its digest is removed.
        await this.#docker.getImage(name).remove({ abortSignal });
      } catch (thrown) {
        const { status } = readFault(thrown);
        if (status !== 404 && status !== 409) throw thrown;
      }
    });
  }
}
