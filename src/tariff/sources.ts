import { createHash } from 'node:crypto';
import { AgentError } from '../domain/errors.ts';
import { exchange, type HttpSettings } from '../http-client/exchange.ts';
import type { Failure } from '../http-client/failure.ts';
import { runOwnerProgram } from '../lib/owner-program.ts';
import { withoutPath } from '../lib/secret-url.ts';
import { LIMITS } from '../limits.ts';

const DEADLINE_MS = 30_000;

/** Where prices are read from. `read` throws ELECTRICITY_PRICES_FAILED. */
export type PriceText = {
  /** For logs, without secrets. */
  readonly name: string;
  /** Another one for another source; it tells nobody what the source is. */
  readonly key: string;
  read(signal: AbortSignal): Promise<string>;
};

/** A program of the owner that prints prices. */
export function commandPrices(program: string, deadlineMs = DEADLINE_MS): PriceText {
  return {
    name: program,
    key: keyOf(program),
    read: (signal) =>
      runOwnerProgram({
        program,
        deadlineMs,
        maxOutputBytes: LIMITS.tariff.answer.max,
        signal,
        failed: (why) => failed(`${program} ${why}`),
      }),
  };
}

/** A URL that answers with prices, reached as the broker is. Redirects are not followed. */
export function urlPrices(written: string, settings: HttpSettings, deadlineMs = DEADLINE_MS): PriceText {
  const name = withoutPath(written);
  return {
    name,
    key: keyOf(written),
    read: async (signal) => {
      const url = new URL(written);
      const server = { url, name, deadlineMs, signal, failed: ({ what }: Failure) => failed(what) };
      return await exchange(settings, server, async (send) => {
        const { body, statusCode } = await send({
          url,
          method: 'GET',
          headers: { accept: 'application/json' },
        });
        if (statusCode !== 200) throw failed(`${name} answered with ${statusCode}`);
        return await bounded(body, name);
      });
    },
  };
}

async function bounded(body: AsyncIterable<Uint8Array>, name: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > LIMITS.tariff.answer.max)
      throw failed(`${name} answered with more than ${LIMITS.tariff.answer.max} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function keyOf(source: string): string {
  return createHash('sha256').update(source).digest('hex');
}

/** Why prices are not known. */
export function failed(why: string): AgentError {
  return new AgentError('ELECTRICITY_PRICES_FAILED', `prices of electricity are not known: ${why}`, {
    hint: 'check --electricity-price-url or --electricity-price-command; see docs/electricity.md',
  });
}
