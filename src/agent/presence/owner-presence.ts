import type { Gpu } from '../../domain/gpu.ts';
import type { Hold, Target } from '../../domain/hold.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import {
  actionFor,
  nextPresence,
  type Presence,
  type PresencePolicy,
  reclaimFor,
  type Sign,
  yields,
} from '../../domain/presence.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import type { DeskReports } from './desk-reports.ts';
import type { ForeignGpuUse } from './foreign-gpu-use.ts';
import type { PresenceHolds } from './presence-holds.ts';
import type { SessionActivity } from './session-activity.ts';

/** How often presence is decided again where no source says anything new: time without a sign passes. */
const INTERVAL_MS = 1_000;

export type OwnerPresenceDeps = {
  readonly policyOf: (gpu: Gpu) => PresencePolicy;
  readonly gpuUse: Pick<ForeignGpuUse, 'use' | 'watch' | 'work' | 'changed'>;
  readonly sessions: Pick<SessionActivity, 'sign' | 'watch' | 'work' | 'changed'>;
  readonly desks: Pick<DeskReports, 'sign' | 'changed'>;
  /** Ends the jobs on a GPU or slice, for this reason. Settles when they have ended. Never rejects. */
  readonly reclaim: (target: Target, why: string) => Promise<void>;
  /** Whether a job is on the GPU or slice. */
  readonly isBusy: (target: Target) => boolean;
  /** Whether anything keeps new jobs off the target. */
  readonly isHeld: (target: Target) => boolean;
  readonly holds: Pick<PresenceHolds, 'replace'>;
  readonly clock: HostClock;
  readonly observe: Observer;
};

/** What was decided for a GPU. */
type Verdict = { readonly presence: Presence; readonly hold: Hold | undefined };

/** Keeps the GPUs that yield to their owner off the market while the owner is here, and ends their jobs where that is wanted. */
export class OwnerPresence {
  readonly #deps: OwnerPresenceDeps;
  #gpus: readonly Gpu[] = [];
  /** Of the GPUs that yield, by uuid. */
  #verdicts: ReadonlyMap<string, Verdict> = new Map();
  readonly #reclaiming = new Set<Target>();

  constructor(deps: OwnerPresenceDeps) {
    this.#deps = deps;
    for (const { changed } of [deps.gpuUse, deps.sessions, deps.desks])
      changed.subscribe(() => this.#decideAll());
  }

  /** Takes the GPUs of this host as they are now. */
  learn(gpus: readonly Gpu[]): void {
    this.#gpus = gpus;
    this.#decideAll();
  }

  /** Goes on until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    const { gpuUse, sessions } = this.#deps;
    await Promise.all([gpuUse.work(signal), sessions.work(signal), this.#passTime(signal)]);
  }

  async #passTime(signal: AbortSignal): Promise<void> {
    while (await sleep(INTERVAL_MS, signal)) if (this.#verdicts.size > 0) this.#decideAll();
  }

  #decideAll(): void {
    const { gpuUse, holds, policyOf, sessions } = this.#deps;
    const yielding = this.#gpus.filter((gpu) => yields(policyOf(gpu)));
    const active = yielding.filter((gpu) => policyOf(gpu).whenActive !== 'ignore');
    gpuUse.watch(new Map(active.map(({ index, uuid }) => [index, uuid])));
    sessions.watch(active.length > 0);
    const decided = yielding.map((gpu) => {
      const policy = policyOf(gpu);
      const signs = this.#signs(gpu.uuid, policy);
      return { gpu, sign: reclaimFor(signs, policy), verdict: this.#decide(gpu, signs) };
    });
    this.#verdicts = new Map(decided.map(({ gpu, verdict }) => [gpu.uuid, verdict]));
    const held = decided.flatMap(({ gpu, verdict: { hold } }) =>
      hold === undefined ? [] : [[gpu.uuid, hold] as const],
    );
    const slices = this.#gpus.flatMap((gpu) => gpu.slices.map(({ uuid }) => [uuid, gpu.uuid] as const));
    holds.replace(new Map(held), new Map(slices));
    for (const { gpu, sign } of decided) if (sign !== undefined) this.#reclaim(gpu, sign);
  }

  #decide(gpu: Gpu, signs: readonly Sign[]): Verdict {
    const { clock, observe } = this.#deps;
    const before = this.#verdicts.get(gpu.uuid);
    const time = { now: clock.monotonic(), uptimeMs: clock.bootTime().upMs };
    const presence = nextPresence(before?.presence, signs, time);
    const { state, why } = presence;
    const label = { uuid: gpu.uuid, name: `GPU ${gpu.index}, ${gpu.model}` };
    if (state !== before?.presence.state && (before !== undefined || state === 'here'))
      observe({ kind: 'presence-changed', gpu: label, state, why });
    return { presence, hold: this.#holdOf(presence, before?.hold) };
  }

  #signs(gpu: string, policy: PresencePolicy): readonly Sign[] {
    const { desks, gpuUse, sessions } = this.#deps;
    const signs = [useSign(gpuUse.use(gpu)), sessions.sign(), desks.sign()];
    return signs.flatMap((sign) =>
      sign === undefined || actionFor(sign.source, policy) === 'ignore' ? [] : [sign],
    );
  }

  /** The same object as before where nothing in it has changed. */
  #holdOf({ at, awayAt, state, why }: Presence, before: Hold | undefined): Hold | undefined {
    if (state === 'away') return undefined;
    if (state === 'unknown')
      return before?.why === why && before.until === undefined ? before : unknownHold(why);
    const text = `its owner is here: ${why}`;
    const until = awayAt === undefined ? undefined : this.#deps.clock.now() + awayAt - at;
    const isSame = before?.why === text && isSameTime(before.until, until);
    return isSame ? before : { kind: 'presence', why: text, until };
  }

  /** Not where the owner has put the GPU on the market all the same. */
  #reclaim({ slices, uuid }: Gpu, { what }: Sign): void {
    const { isBusy, isHeld, reclaim } = this.#deps;
    for (const target of [uuid, ...slices.map((slice) => slice.uuid)]) {
      if (this.#reclaiming.has(target) || !isHeld(target) || !isBusy(target)) continue;
      this.#reclaiming.add(target);
      void reclaim(target, `its owner is here: ${what}`).finally(() => this.#reclaiming.delete(target));
    }
  }
}

function useSign(use: ReturnType<ForeignGpuUse['use']>): Sign | undefined {
  if (use === undefined) return undefined;
  if (use.state !== 'used')
    return { source: 'gpu', state: use.state, what: use.state === 'unknown' ? use.why : '' };
  const [by] = use.by;
  const who = by === undefined || by.pid === 0 ? 'another program' : `${by.name} (process ${by.pid})`;
  return { source: 'gpu', state: 'seen', what: `${who} uses it` };
}

function unknownHold(why: string): Hold {
  const hint =
    'run sharedcloud-agent check, which shows the signs that work here; or set --when-active ignore';
  return { kind: 'presence', why, hint };
}

/** Both clocks wobble. */
function isSameTime(a: number | undefined, b: number | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Math.abs(a - b) < 2_000);
}
