/** A connection that a job opened, as it left this host. Addresses are IPv4. */
export type Connection = {
  /** In milliseconds of this host's wall clock. */
  readonly at: number;
  /** `tcp`, `udp`, `icmp`, or another that the kernel names. */
  readonly protocol: string;
  /** The job's address in the jobs' network. */
  readonly address: string;
  /** Null for a protocol without ports, as the other ports. */
  readonly sourcePort: number | null;
  readonly destination: string;
  readonly destinationPort: number | null;
  /** The port from which the rest of the world sees it come, behind the translation of addresses. */
  readonly outerPort: number | null;
};
