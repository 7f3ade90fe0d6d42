import { networkInterfaces } from 'node:os';

/** The IPv4 addresses of this host, as far as they are up now. */
export function hostAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  );
}
