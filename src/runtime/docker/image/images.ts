import type Docker from 'dockerode';
import { AgentError, asAgentError, type ErrorCode } from '../../../domain/errors.ts';
import { type ImagePlatform, runsOn } from '../../../domain/image-platform.ts';
import {
  canonicalImageRef,
  type ImageRef,
  imageAllowed,
  parseImageRef,
  registryOf,
} from '../../../domain/image-ref.ts';
import type { Clock } from '../../../domain/ports/clock.ts';
import type { Images, ReadyImage } from '../../../domain/ports/runtime.ts';
import { SingleFlight } from '../../../lib/single-flight.ts';
import { ANSWER_TOO_LARGE } from '../engine/bounded-answers.ts';
import { callEngine } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import type { RegistryCredentials } from '../registry/credentials.ts';
import type { RegistryAuth } from '../registry/docker-config.ts';
import { type ImageConfig, layerBytes, readImage } from './config.ts';
import { listImages } from './list.ts';
import { platformsInRegistry, refuseForeign } from './platform-check.ts';
import { type PullHooks, type PullLimits, PullsUnderWay, pullImage, refuseOversize } from './pull.ts';
import { storeFault } from './pull-error.ts';
import { oversized, settingsRefusal } from './settings-check.ts';

/** The owner's rules for images; times in milliseconds. */
export type ImageRules = PullLimits & {
  /** Patterns of the images that may be used, such as `sharedcloud/*`. */
  readonly allowed: readonly string[];
  /** How long a pulled tag counts as current. */
  readonly refreshMs: number;
  /** How long the engine may take to inspect an image. */
  readonly inspectMs: number;
};

/** What the images of an engine need beside it. */
export type DockerImagesDeps = {
  readonly hooks: PullHooks;
  readonly clock: Clock;
  /** The platform of the engine. Throws RUNTIME_UNAVAILABLE. */
  readonly platform: () => Promise<ImagePlatform>;
  /** Undefined: pulls go without credentials. */
  readonly credentials?: Pick<RegistryCredentials, 'forRegistry'> | undefined;
};

/** After these, an image of before the failed pull is not used either. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['IMAGE_REFUSED', 'IMAGE_PLATFORM']);

const MAX_CACHED_CONFIGS = 100;

/** The images of one engine. */
export class DockerImages implements Images {
  readonly #docker: Docker;
  readonly #rules: ImageRules;
  readonly #deps: DockerImagesDeps;
  readonly #pulls = new PullsUnderWay();
  readonly #shared = new SingleFlight<ReadyImage>();
  /** Configs by digest or id. They never change. */
  readonly #configs = new Map<string, ImageConfig>();
  /** When each image was last pulled, by the monotonic clock. */
  readonly #pulledAt = new Map<string, number>();

  constructor(docker: Docker, rules: ImageRules, deps: DockerImagesDeps) {
    this.#docker = docker;
    this.#rules = rules;
    this.#deps = deps;
  }

  async find(ref: string): Promise<ReadyImage | undefined> {
    const parsed = parseImageRef(ref);
    if (parsed === undefined || !imageAllowed(ref, this.#rules.allowed)) return undefined;
    const found = await this.#find(ref, parsed);
    return found !== undefined && this.#isUsable(found) ? readyImage(found) : undefined;
  }

  /** Whether an image is for another platform, as far as the engine or the image's registry say. Pulls nothing. */
  async isForeign(ref: string, signal: AbortSignal): Promise<boolean> {
    const parsed = parseImageRef(ref);
    if (parsed === undefined || !imageAllowed(ref, this.#rules.allowed)) return false;
    const found = await this.#find(ref, parsed);
    if (found !== undefined && !found.isForeign) return false;
    if (found !== undefined && parsed.digest !== undefined) return true;
    const platforms = await this.#platforms(parsed, await this.#auth(parsed, signal), signal);
    const engine = await this.#deps.platform();
    if (platforms.length === 0) return found !== undefined;
    return !platforms.some((platform) => runsOn(platform, engine));
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
   * removed meanwhile; creating the container then fails. Throws IMAGE_PLATFORM for an image of another platform.
   */
  async describe(image: string): Promise<ImageConfig> {
    const known = this.#configs.get(image);
    if (known !== undefined) return known;
    const config = await this.#inspect(image);
    if (config === undefined)
      throw new AgentError('IMAGE_NOT_FOUND', `image ${image} is no longer on this host`);
    refuseForeign(image, [config.platform], await this.#deps.platform());
    if (this.#configs.size >= MAX_CACHED_CONFIGS) this.#configs.clear();
    if (/sha256:[0-9a-f]{64}$/.test(image)) this.#configs.set(image, config);
    return config;
  }

  async #prepare(ref: string, parsed: ImageRef, key: string, signal: AbortSignal): Promise<ReadyImage> {
    const found = await this.#find(ref, parsed);
    const usable = found !== undefined && this.#isUsable(found) ? readyImage(found) : undefined;
    const pinned = parsed.digest !== undefined;
    if (pinned && found?.isForeign === true)
      refuseForeign(ref, [found.platform], await this.#deps.platform());
    const age = this.#deps.clock.monotonic() - (this.#pulledAt.get(key) ?? Number.NEGATIVE_INFINITY);
    if (usable !== undefined && (pinned || age < this.#rules.refreshMs)) return usable;
    let change: PullChange | undefined;
    try {
      change = await this.#pull(ref, parsed, usable === undefined, signal);
    } catch (thrown) {
      const { code } = asAgentError(thrown);
      const registryFailed = /^(?:IMAGE|REGISTRY)_/.test(code) && !FINAL.has(code);
      if (usable === undefined || !registryFailed || signal.aborted) throw thrown;
    }
    this.#pulledAt.set(key, this.#deps.clock.monotonic());
    const pulled = await this.#accept(ref, parsed, found);
    const ready = readyImage(pulled);
    const { engineId } = pulled;
    // In doubt, the pull has changed nothing.
    if (change?.before === undefined) return ready;
    if (!change.before.has(engineId)) return change.hasBrought ? { ...ready, broughtId: engineId } : ready;
    return found === undefined ? { ...ready, namedId: engineId } : ready;
  }

  /** Pulls an image. Of a new one the platforms are asked first, which may save gigabytes. */
  async #pull(ref: string, parsed: ImageRef, isNew: boolean, signal: AbortSignal): Promise<PullChange> {
    const auth = await this.#auth(parsed, signal);
    if (isNew) {
      const platforms = await this.#platforms(parsed, auth, signal);
      refuseForeign(ref, platforms, await this.#deps.platform());
    }
    const tag = parsed.digest ?? parsed.tag ?? 'latest';
    const request = { ref, repository: parsed.repository, tag, auth };
    const before = await this.#ids(signal);
    const { hooks } = this.#deps;
    const hasBrought = await pullImage(this.#docker, request, this.#rules, hooks, this.#pulls, signal);
    return { before, hasBrought };
  }

  /** The ids of all images of the engine; undefined where it does not list them, which must keep nobody from a pull. */
  async #ids(signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    try {
      const listed = await listImages(this.#docker, { all: true, ms: this.#rules.inspectMs, signal });
      return new Set(listed.map(({ id }) => id));
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** The credentials for the image's own registry, and no other's. */
  async #auth(parsed: ImageRef, signal: AbortSignal): Promise<RegistryAuth | undefined> {
    return this.#deps.credentials?.forRegistry(registryOf(parsed), signal);
  }

  #platforms(
    parsed: ImageRef,
    auth: RegistryAuth | undefined,
    signal: AbortSignal,
  ): Promise<readonly ImagePlatform[]> {
    return platformsInRegistry(this.#docker, canonicalImageRef(parsed), auth, signal);
  }

  /** The image after its pull. Removes one that is too large or foreign, unless it was on this host before. */
  async #accept(ref: string, parsed: ImageRef, before: FoundImage | undefined): Promise<FoundImage> {
    const pulled = await this.#find(ref, parsed).catch(async (thrown: unknown) => {
      if (asAgentError(thrown).code === 'IMAGE_REFUSED' && before === undefined)
        await this.#discard(canonicalImageRef(parsed));
      throw thrown;
    });
    if (pulled === undefined) {
      throw new AgentError('IMAGE_PULL_FAILED', `image ${ref} was pulled but is not on this host`);
    }
    if (!this.#isUsable(pulled) && pulled.id !== before?.id) await this.#discard(canonicalImageRef(parsed));
    if (pulled.refusal !== undefined) throw pulled.refusal;
    if (pulled.isForeign) refuseForeign(ref, [pulled.platform], await this.#deps.platform());
    refuseOversize(ref, pulled.sizeBytes, this.#rules.maxBytes);
    return pulled;
  }

  #isUsable({ isForeign, sizeBytes, refusal }: FoundImage): boolean {
    return !isForeign && refusal === undefined && sizeBytes <= this.#rules.maxBytes;
  }

  async #find(ref: string, parsed: ImageRef): Promise<FoundImage | undefined> {
    const name = canonicalImageRef(parsed);
    const config = await this.#inspect(name);
    if (config === undefined) return undefined;
    const { digests, platform } = config;
    const pinned = `${parsed.repository}@${parsed.digest}`;
    const digest =
      digests.find((one) => one === pinned) ?? digests.find((one) => one.startsWith(`${parsed.repository}@`));
    const sizeBytes = Math.max(config.sizeBytes, await this.#layerBytes(name));
    const isForeign = !runsOn(platform, await this.#deps.platform());
    return {
      ref,
      id: digest ?? config.id,
      engineId: config.id,
      sizeBytes,
      platform,
      isForeign,
      refusal: settingsRefusal(ref, config),
    };
  }

  /** The unpacked layers. The size that containerd's image store names is that of the compressed ones. */
  async #layerBytes(name: string): Promise<number> {
    const action = `read the history of image ${name}`;
    return callEngine({ action, ms: this.#rules.inspectMs }, async () => {
      try {
        return layerBytes(await this.#docker.getImage(name).history());
      } catch (thrown) {
        const { code, status } = readFault(thrown);
        if (code === ANSWER_TOO_LARGE) throw oversized(name);
        // Removed since, or without a history: then the image's own size counts.
        if (status !== undefined) return 0;
        throw engineError(thrown, action);
      }
    });
  }

  async #inspect(name: string): Promise<ImageConfig | undefined> {
    const action = `inspect image ${name}`;
    const answer: unknown = await callEngine({ action, ms: this.#rules.inspectMs }, async () => {
      try {
        return await this.#docker.getImage(name).inspect();
      } catch (thrown) {
        const { code, status } = readFault(thrown);
        if (status === 404) return undefined;
        if (code === ANSWER_TOO_LARGE) throw oversized(name);
        throw storeFault(thrown, name) ?? engineError(thrown, action);
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

/** The ids of the engine's images before a pull, if it lists them, and whether the pull has brought an image. */
type PullChange = { readonly before: ReadonlySet<string> | undefined; readonly hasBrought: boolean };

/** An image on this host, usable or not. */
type FoundImage = ReadyImage & {
  /** As the engine's list has it. */
  readonly engineId: string;
  readonly platform: ImagePlatform;
  readonly isForeign: boolean;
  /** Why no container can be made of it; undefined: one can. */
  readonly refusal: AgentError | undefined;
};

function readyImage({ id, ref, sizeBytes }: FoundImage): ReadyImage {
  return { ref, id, sizeBytes };
}
