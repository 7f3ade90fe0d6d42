import type { ListenAddress } from '../config/listen.ts';
import { listenAddress } from '../config/listen.ts';

/** Why nothing can be served at an address, and what its owner can do about it. */
export type Unlistenable = { readonly why: string; readonly hint: string };

/** Why an address could not be listened on, from the system's error. Pure. */
export function listenProblem(thrown: unknown, address: ListenAddress): Unlistenable {
  const at = listenAddress.show(address);
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'EADDRINUSE')
    return {
      why: `the status page is not served: another program listens on ${at}`,
      hint: `find it with ss -ltnp 'sport = :${address.port}', or use another port: --listen ${listenAddress.show({ ...address, port: otherPort(address.port) })}`,
    };
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAFNOSUPPORT')
    return {
      why: `the status page is not served: this host has no address ${address.host} now`,
      hint: 'use one that `ip address` shows, or --listen 127.0.0.1:8470',
    };
  if (code === 'EACCES')
    return {
      why: `the status page is not served: the agent’s user may not listen on port ${address.port}`,
      hint: `use a port from 1024 on: --listen ${listenAddress.show({ ...address, port: 8470 })}`,
    };
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    why: `the status page is not served at ${at}: ${reason}`,
    hint: 'use another address with --listen, or turn the page off: --listen off',
  };
}

function otherPort(port: number): number {
  return port === 65_535 ? 8470 : port + 1;
}
