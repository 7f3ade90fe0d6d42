import { join } from 'node:path';

/** What a caller may do: look at everything, or change something too. */
export type Right = 'read' | 'control';

/** A socket of a running agent. */
export type ControlSocket = {
  readonly directory: string;
  readonly name: string;
  /** Who may connect, by the file's mode. */
  readonly mode: number;
  readonly rights: readonly Right[];
};

/** The socket in which everything is allowed, and the one for those who only look. */
export const CONTROL_SOCKET = 'control.sock';
export const READ_SOCKET = 'read.sock';

/** Where systemd puts the service's sockets. */
export const SERVICE_RUNTIME_DIR = '/run/sharedcloud-agent';

const ALL: readonly Right[] = ['read', 'control'];

/**
 * The sockets that an agent opens: one in its state directory for its own user, and in the runtime directory of a service,
 * where it has one, two for the members of its group.
 */
export function socketsOf(stateDir: string, runtimeDir: string | undefined): readonly ControlSocket[] {
  const own: ControlSocket = { directory: stateDir, name: CONTROL_SOCKET, mode: 0o600, rights: ALL };
  if (runtimeDir === undefined) return [own];
  return [
    own,
    { directory: runtimeDir, name: CONTROL_SOCKET, mode: 0o660, rights: ALL },
    { directory: runtimeDir, name: READ_SOCKET, mode: 0o660, rights: ['read'] },
  ];
}

/** The path of a socket. */
export function pathOf({ directory, name }: Pick<ControlSocket, 'directory' | 'name'>): string {
  return join(directory, name);
}
