import type { Sign } from './presence.ts';

/** A user's session on this host, as systemd-logind describes it. */
export type Session = {
  readonly id: string;
  /** `user`, `greeter`, `background` and others. */
  readonly kind: string;
  /** `x11`, `wayland`, `tty` and others. */
  readonly type: string;
  readonly user: string;
  readonly isRemote: boolean;
  /** Whether it is in front of its seat; a remote one always is. */
  readonly isActive: boolean;
  readonly isLocked: boolean;
  /** Whether the desktop says that nobody uses it; some never say so. */
  readonly isIdle: boolean;
  /** Since when it is so, or when its terminal was last used, in milliseconds of the wall clock; undefined: never. */
  readonly idleSince: number | undefined;
  /** How long it has existed, in milliseconds. */
  readonly ageMs: number;
};

/** A terminal that was used this recently is in use, in milliseconds. */
const TERMINAL_MS = 60_000;
/** A desktop that has not been idle for so long does not say when it is, in milliseconds. */
const SILENT_MS = 86_400_000;

/** Whether somebody uses the session now. Pure. */
function isUsed(session: Session, now: number): boolean {
  const { idleSince, isActive, isIdle, isLocked } = session;
  if (isGraphical(session)) return isActive && !isIdle && !isLocked;
  return idleSince !== undefined && now - idleSince < TERMINAL_MS;
}

/** Whether anybody is active in a session of this host at `now`, by the wall clock. Pure. */
export function activitySign(sessions: readonly Session[], now: number): Sign {
  const used = sessions.filter(isOfUser).find((session) => isUsed(session, now));
  if (used === undefined) return { source: 'activity', state: 'quiet', what: '' };
  const where = used.isRemote ? 'a remote session' : 'a session';
  return { source: 'activity', state: 'seen', what: `${used.user} is active in ${where} (${used.type})` };
}

/** The desktops that never say that they are idle, so that their users always count as active. Pure. */
export function silentDesktops(sessions: readonly Session[], now: number): readonly Session[] {
  return sessions.filter(
    (session) =>
      isOfUser(session) &&
      isGraphical(session) &&
      !session.isIdle &&
      session.ageMs >= SILENT_MS &&
      now - (session.idleSince ?? 0) >= SILENT_MS,
  );
}

/** Not of a login screen, nor of a service. */
export function isOfUser({ kind }: Session): boolean {
  return kind === 'user' || kind.startsWith('user-');
}

function isGraphical({ type }: Session): boolean {
  return ['x11', 'wayland', 'mir'].includes(type);
}
