import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import type { PullProgress } from '../../../domain/ports/runtime.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { LIMITS } from '../../../limits.ts';
import { linesOf } from '../engine/json-lines.ts';
import type { RegistryAuth } from '../registry/docker-config.ts';
import { LayerProgress } from './layer-progress.ts';
import { pullError, pullRefusal } from './pull-error.ts';

/** Limits of a pull. Times in milliseconds. */
export type PullLimits = {
  /** The deadline of the whole pull. */
  readonly totalMs: number;
  /** The longest time without progress. */
  readonly idleMs: number;
  /** The largest size: of compressed layers during the pull, of the unpacked image afterwards. */
  readonly maxBytes: number;
};

/** What to pull. The tag may be a digest. It is never empty, because that means every tag. */
export type PullRequest = {
  readonly ref: string;
  readonly repository: string;
  readonly tag: string;
  /** For the image's own registry. */
  readonly auth?: RegistryAuth | undefined;
};

export type PullHooks = {
  /** Called at every step, unthrottled. */
  readonly onProgress: (progress: PullProgress) => void;
  /**
   * Throws if too little disk is free beside the bytes that pulls under way will still download. Called before a pull and at
   * most once a second during it.
   */
  readonly checkDisk: (pendingBytes: number) => Promise<void>;
};

/** The pulls of one engine that go on, in the order of their beginnings. */
export class PullsUnderWay {
  readonly #pulls = new Set<LayerProgress>();

  begin(): LayerProgress {
    const progress = new LayerProgress();
    this.#pulls.add(progress);
    return progress;
  }

  end(progress: LayerProgress): void {
    this.#pulls.delete(progress);
  }

  /** What a pull and those that began before it will still download: where disk is short, the last one ends first. */
  pendingBytes(progress: LayerProgress): number {
    const all = [...this.#pulls];
    return all
      .slice(0, all.indexOf(progress) + 1)
      .reduce((sum, { bytes }) => sum + bytes.totalBytes - bytes.doneBytes, 0);
  }
}

const DISK_CHECK_MS = 1000;

/**
 * Pulls an image. Returns whether it is new under its name, as far as the engine says. Throws IMAGE_*, REGISTRY_*, RUNTIME_*, or
 * the signal's reason.
 */
export async function pullImage(
  docker: Docker,
  request: PullRequest,
  limits: PullLimits,
  hooks: PullHooks,
  pulls: PullsUnderWay,
  signal: AbortSignal,
): Promise<boolean> {
  const { idleMs, totalMs } = limits;
  const late = (why: string): AgentError =>
    new AgentError('IMAGE_PULL_FAILED', `image ${request.ref} could not be pulled: ${why}`);
  const tooSlow = late(`it took longer than ${totalMs / 1000} s`);
  const stuck = late(`it made no progress for ${idleMs / 1000} s`);
  const progress = pulls.begin();
  const report = (finished: boolean): void =>
    hooks.onProgress({ ref: request.ref, ...progress.bytes, finished });
  const pull = async (abortSignal: AbortSignal, extend: () => void): Promise<void> => {
    await hooks.checkDisk(pulls.pendingBytes(progress));
    let checkedAt = performance.now();
    const options = { fromImage: request.repository, tag: request.tag, abortSignal };
    for await (const line of linesOf(await docker.createImage(request.auth, options))) {
      const progressed = progress.take(line);
      refuseManyLayers(request.ref, progress.layers);
      if (!progressed) continue;
      extend();
      report(false);
      refuseOversize(request.ref, progress.bytes.totalBytes, limits.maxBytes);
      if (performance.now() - checkedAt < DISK_CHECK_MS) continue;
      checkedAt = performance.now();
      await hooks.checkDisk(pulls.pendingBytes(progress));
    }
  };
  try {
    await withDeadline({ ms: totalMs, error: tooSlow, signal }, (inTime) =>
      withDeadline({ ms: idleMs, error: stuck, signal: inTime }, pull),
    );
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    throw pullError(thrown, request.ref);
  } finally {
    pulls.end(progress);
    report(true);
  }
  if (progress.error !== undefined) throw pullRefusal(request.ref, progress.error);
  return progress.broughtImage;
}

/** Throws IMAGE_REFUSED if an image is larger than the owner allows. */
export function refuseOversize(ref: string, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new AgentError('IMAGE_REFUSED', `image ${ref} is larger than ${maxBytes} bytes`, {
    hint: 'raise --max-image-size, if the disk is large enough',
  });
}

/**
 * Throws IMAGE_REFUSED if an image has more layers than any engine can mount. A manifest may list tens of thousands, and
 * the engine reports all of them before it downloads the first.
 */
export function refuseManyLayers(ref: string, layers: number): void {
  if (layers <= LIMITS.image.layers.max) return;
  throw new AgentError('IMAGE_REFUSED', `image ${ref} has more than ${LIMITS.image.layers.max} layers`, {
    hint: 'build the image with fewer layers: no engine can mount so many',
  });
}
