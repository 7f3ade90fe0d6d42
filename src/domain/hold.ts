/** What can be kept from new jobs: a GPU or MIG slice by its uuid, or the slots for CPU jobs. */
export type Target = string;

/** The target of all slots without a GPU. */
export const CPU_TARGET: Target = 'cpu';

/** What keeps a target from new jobs, the strongest first: of several the owner is shown the first. */
export const HOLD_KINDS = ['safety', 'manual', 'presence', 'calendar'] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

/** Why a target takes no new jobs for now. */
export type Hold = {
  readonly kind: HoldKind;
  /** One clause, such as `paused by ada: gaming night`. */
  readonly why: string;
  /** When it ends by itself, in milliseconds of the wall clock; undefined: not known. */
  readonly until?: number | undefined;
  /** What the owner can do about it. */
  readonly hint?: string | undefined;
};

/** The one hold that is shown of all that apply; undefined: none applies. Pure. */
export function shownHold<H extends Pick<Hold, 'kind'>>(holds: readonly H[]): H | undefined {
  return HOLD_KINDS.map((kind) => holds.find((hold) => hold.kind === kind)).find(
    (hold) => hold !== undefined,
  );
}

/** The target of a slot. */
export function targetOf(slot: { readonly gpu: string | null }): Target {
  return slot.gpu ?? CPU_TARGET;
}
