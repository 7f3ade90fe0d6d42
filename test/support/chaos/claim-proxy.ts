import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { JOB_STATUS } from '../../../src/domain/job.ts';

/** How claims are answered while it lasts; `taken`: after the broker has granted it all the same. */
export type ClaimFault = { readonly status: 400 | 403 | 409; readonly taken: boolean };

const CHANGE = z.object({ status: z.number() });

/** Stands between an agent and its broker and answers claims otherwise; all else goes through as it is. */
export class ClaimProxy implements AsyncDisposable {
  /** Undefined: claims go through too. */
  fault: ClaimFault | undefined;
  readonly #broker: string;
  readonly #server = createServer((incoming, answer) => void this.#serve(incoming, answer));

  private constructor(broker: string) {
    this.#broker = broker;
  }

  static async open(broker: string): Promise<ClaimProxy> {
    const proxy = new ClaimProxy(broker);
    await new Promise<void>((resolve) => void proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const body = await text(incoming);
    const { fault } = this;
    const refuse = (): void => {
      answer.writeHead(fault?.status ?? 400, { 'content-type': 'application/json' });
      answer.end(JSON.stringify({ detail: 'No.' }));
    };
    const isFaulty = fault !== undefined && isClaim(incoming, body);
    if (isFaulty && !fault.taken) return refuse();
    const { headers, method } = incoming;
    const forward = request(`${this.#broker}${incoming.url}`, { method, headers }, (came) => {
      if (isFaulty) return void came.resume().on('end', refuse);
      answer.writeHead(came.statusCode ?? 502, came.headers);
      came.pipe(answer);
    });
    forward.on('error', () => answer.destroy());
    // A call that the broker holds ends with whoever made it.
    answer.on('close', () => forward.destroy());
    forward.end(body);
  }
}

function isClaim({ method, url }: IncomingMessage, body: string): boolean {
  if (method !== 'PATCH' || url?.startsWith('/api/v1/jobs/') !== true) return false;
  return CHANGE.parse(JSON.parse(body)).status === JOB_STATUS.IN_PROGRESS;
}
