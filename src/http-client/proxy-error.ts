/** A proxy that could not be connected to (`cause`), or that answered with `status` instead of passing the call on. */
export class ProxyError extends Error {
  readonly status: number | undefined;

  constructor({ cause, status }: { readonly cause?: unknown; readonly status?: number }) {
    super(cause instanceof Error ? cause.message : 'the proxy does not pass the call on', { cause });
    this.name = 'ProxyError';
    this.status = status;
  }
}
