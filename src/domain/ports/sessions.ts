import type { Session } from '../session.ts';

/** The sessions of users on this host. */
export interface Sessions {
  /** Undefined: this host has no service that knows them. Throws SESSIONS_UNREADABLE. */
  read(signal: AbortSignal): Promise<readonly Session[] | undefined>;
}
