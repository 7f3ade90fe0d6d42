import type { MigParents } from '../../domain/gpu-cordon.ts';
import type { Hold, Target } from '../../domain/hold.ts';
import { applyCommand, type OwnerCommand } from '../../domain/owner-command.ts';
import { type Decisions, decided, inForce, type Now, nextEndInMs } from '../../domain/owner-decisions.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { DecisionStore } from '../../domain/ports/decision-store.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import type { HoldSource } from './hold-source.ts';
import type { Forced } from './holds.ts';

/** Clocks may be set and hosts may sleep, so the ends are looked at again at least this often. */
const RECHECK_MS = 5_000;

/** Who gives a command, as they name themselves, and by which way. */
export type Giver = { readonly by: string; readonly from: string };

export type OwnerControlDeps = {
  readonly decisions: DecisionStore;
  readonly clock: HostClock;
  readonly observe: Observer;
};

/** The owner's pauses and modes: on disk first, then in force. */
export class OwnerControl implements HoldSource {
  readonly changed = new Notifier();
  readonly #deps: OwnerControlDeps;
  #decisions: Decisions;
  /** The GPU of each MIG slice. */
  #parents: MigParents = new Map();

  /** Reads what the owner has decided before. Throws JOURNAL_UNUSABLE. */
  constructor(deps: OwnerControlDeps) {
    this.#deps = deps;
    this.#decisions = deps.decisions.load();
  }

  /** Learns which slices GPUs have: what is decided about a GPU counts for its slices. */
  learn(parents: MigParents): void {
    this.#parents = parents;
  }

  /** What is in force now. */
  get decisions(): Decisions {
    return inForce(this.#decisions, this.#now);
  }

  hold(target: Target): Hold | undefined {
    return this.#about(target).hold;
  }

  /** What the owner decided about rules for a target. */
  mode(target: Target): 'auto' | 'on' | 'off' {
    return this.#about(target).mode;
  }

  /** Whether the target takes jobs whatever the rules say, and until when. */
  forced(target: Target): Forced | undefined {
    const { mode, modeUntil } = this.#about(target);
    return mode === 'on' ? { until: modeUntil } : undefined;
  }

  /**
   * Carries out a command; it is in force when this returns. Answers whether it changed anything. Throws JOURNAL_UNUSABLE,
   * STATE_DIR_UNUSABLE, and changes nothing then.
   */
  apply(command: OwnerCommand, { by, from }: Giver): boolean {
    const now = this.#now;
    const { changed, decisions } = applyCommand(this.#decisions, command, {
      by,
      parents: this.#parents,
      now,
    });
    if (!changed) return false;
    const detail = JSON.stringify(command);
    this.#deps.decisions.save(decisions, { at: now.wall, by, from, action: command.kind, detail });
    this.#decisions = decisions;
    this.changed.notify();
    this.#deps.observe({ kind: 'owner-command', command, by, from });
    return true;
  }

  /** Announces decisions that end by themselves, until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    const woken = new Notifier();
    this.changed.subscribe(() => woken.notify());
    while (!signal.aborted) {
      const next = nextEndInMs(this.#decisions, this.#now);
      if (next === undefined) await woken.wait(signal);
      else await woken.wait(signal, Math.min(next, RECHECK_MS));
      this.#dropEnded();
    }
  }

  /** What is on disk may name ended ones until the next command; they count no more. */
  #dropEnded(): void {
    const left = inForce(this.#decisions, this.#now);
    if (left.length === this.#decisions.length) return;
    this.#decisions = left;
    this.changed.notify();
  }

  #about(target: Target) {
    return decided(this.#decisions, target, this.#parents.get(target), this.#now);
  }

  get #now(): Now {
    const { clock } = this.#deps;
    return { wall: clock.now(), boot: clock.bootTime() };
  }
}
