import { HttpBroker } from '../../../src/broker/client.ts';
import { type Limits, Transport } from '../../../src/broker/transport.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { ConnectionOptions } from '../../../src/http-client/dispatcher.ts';

/** The token that tests use; it must never show up in an error. */
export const TOKEN = 'tok-5ecret-0123456789abcdef';

/** A client of ours, with what it may take for each step cut to what a test can wait for. */
export type TestClient = AsyncDisposable & { readonly broker: HttpBroker; readonly transport: Transport };

/** The real client, talking to `url`. */
export function clientOf(
  url: string,
  limits: Partial<Limits> = {},
  connection: ConnectionOptions = {},
): TestClient {
  const transport = new Transport(url, { current: async () => TOKEN }, limits, connection);
  return {
    transport,
    broker: new HttpBroker(transport),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

/** The error that a call fails with; that it does not is a failure of the test. */
export async function failure(call: Promise<unknown>): Promise<AgentError> {
  try {
    await call;
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown;
    throw thrown;
  }
  throw new Error('the call did not fail');
}

/** A signal that never aborts. */
export const never = new AbortController().signal;
