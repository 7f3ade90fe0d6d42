import type Docker from 'dockerode';
import { AgentError } from '../../../domain/errors.ts';
import { pullError, pullRefusal } from '../engine/errors.ts';
import { linesOf } from '../engine/json-lines.ts';
import { PullProgress } from './pull-progress.ts';

/** What a pull must keep to; times in milliseconds. */
export type PullLimits = {
  /** How long all of it may take. */
  readonly totalMs: number;
  /** How long it may go without coming further. */
  readonly idleMs: number;
  /** The most bytes: of compressed layers while it is pulled, of the whole image afterwards. */
  readonly maxBytes: number;
};

/** How far a pull is, in bytes of compressed layers. `finished` comes once, whether it went well or not. */
export type PullReport = {
  readonly ref: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly finished: boolean;
};

/** What is asked of the engine. The tag may be a digest; it is never empty, which would mean every tag. */
export type PullRequest = { readonly ref: string; readonly repository: string; readonly tag: string };

export type PullHooks = {
  /** Called at every step; whoever shows it throttles. */
  readonly onProgress: (report: PullReport) => void;
  /** Throws where the disk has too little room; called before a pull and at most once a second within. */
  readonly checkDisk: () => Promise<void>;
};

const DISK_CHECK_MS = 1000;

/** What Linux's overlay stacks at most (OVL_MAX_STACK); Docker's own limit is lower, but met only after downloads. */
const MOST_LAYERS = 500;

/** Pulls an image. Throws IMAGE_NOT_FOUND, IMAGE_PULL_FAILED, IMAGE_REFUSED, RUNTIME_*, or the signal's reason. */
export async function pullImage(
  docker: Docker,
  request: PullRequest,
  limits: PullLimits,
  hooks: PullHooks,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const end = (words: string): void => stop.abort(pullRefusal(request.ref, words));
  const total = setTimeout(() => end(`it took longer than ${limits.totalMs / 1000} s`), limits.totalMs);
  const idle = setTimeout(() => end(`it came no further for ${limits.idleMs / 1000} s`), limits.idleMs);
  const either = AbortSignal.any([signal, stop.signal]);
  const progress = new PullProgress();
  const report = (finished: boolean): void =>
    hooks.onProgress({ ref: request.ref, ...progress.bytes, finished });
  let checkedAt = performance.now();
  try {
    await hooks.checkDisk();
    const abortSignal = either;
    const stream = await docker.createImage({
      fromImage: request.repository,
      tag: request.tag,
      abortSignal,
    });
    for await (const line of linesOf(stream)) {
      const moved = progress.take(line);
      refuseManyLayers(request.ref, progress.layers);
      if (!moved) continue;
      idle.refresh();
      report(false);
      refuseOversize(request.ref, progress.bytes.totalBytes, limits.maxBytes);
      if (performance.now() - checkedAt < DISK_CHECK_MS) continue;
      checkedAt = performance.now();
      await hooks.checkDisk();
    }
  } catch (thrown) {
    if (either.aborted) throw either.reason;
    throw pullError(thrown, request.ref);
  } finally {
    clearTimeout(total);
    clearTimeout(idle);
    report(true);
  }
  if (progress.error !== undefined) throw pullRefusal(request.ref, progress.error);
}

/** Throws IMAGE_REFUSED where an image is larger than the owner allows. */
export function refuseOversize(ref: string, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new AgentError('IMAGE_REFUSED', `image ${ref} is larger than ${maxBytes} bytes`, {
    hint: 'raise --max-image-size if you have the room for it',
  });
}

/**
 * Throws IMAGE_REFUSED where an image has more layers than any engine can mount. A manifest may name tens of thousands,
 * and the engine tells of each of them before the first is here.
 */
export function refuseManyLayers(ref: string, layers: number): void {
  if (layers <= MOST_LAYERS) return;
  throw new AgentError('IMAGE_REFUSED', `image ${ref} has more than ${MOST_LAYERS} layers`, {
    hint: 'no engine can mount so many: whoever made the image has to build it with fewer',
  });
}
