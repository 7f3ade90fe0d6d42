import { createHash } from 'node:crypto';
import { AgentError } from '../domain/errors.ts';
import type { CaSettings } from '../http-client/ca-certificates.ts';
import { connectionOptions, prepareConnection } from '../http-client/connection.ts';
import { openDispatcher } from '../http-client/dispatcher.ts';
import type { ProxySettings } from '../http-client/proxy.ts';
import { cut } from '../lib/cut.ts';
import { withDeadline } from '../lib/deadline.ts';
import { escapeControls } from '../lib/escape.ts';
import { PROGRAM_NOT_FOUND, ProgramError, runProgram } from '../lib/process.ts';
import { withoutPath } from '../lib/secret-url.ts';
import { LIMITS } from '../limits.ts';

const DEADLINE_MS = 30_000;
const CONNECT_MS = 10_000;
/** A program may leave something running that holds its output. */
const LINGER_MS = 500;
/** It has none of the agent’s variables, of which one may be a secret. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

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
    read: async (signal) => {
      try {
        const { code, stderr, stdout } = await runProgram(program, [], {
          deadlineMs,
          lingerMs: LINGER_MS,
          env: { PATH },
          maxOutputBytes: LIMITS.tariff.answer.max,
          signal,
        });
        if (code === 0) return stdout;
        if (code === PROGRAM_NOT_FOUND) throw failed(`${program} is not there, or a program that it runs`);
        const [said = ''] = stderr.trim().split('\n');
        throw failed(
          `${program} ended with ${code}${said === '' ? '' : `: ${cut(escapeControls(said), 200)}`}`,
        );
      } catch (thrown) {
        if (thrown instanceof ProgramError) throw failed(`${program} ${thrown.message}`);
        throw thrown;
      }
    },
  };
}

/** A URL that answers with prices, reached as the broker is. Redirects are not followed. */
export function urlPrices(
  url: string,
  settings: ProxySettings & CaSettings,
  deadlineMs = DEADLINE_MS,
): PriceText {
  const name = withoutPath(url);
  return {
    name,
    key: keyOf(url),
    read: async (signal) => {
      const server = new URL(url);
      const connection = prepareConnection(url, settings);
      const limits = { connectMs: CONNECT_MS, bodyIdleMs: CONNECT_MS };
      const dispatcher = openDispatcher(server, limits, connectionOptions(connection));
      try {
        const error = (): Error => failed(`${name} has not answered in ${deadlineMs / 1_000} s`);
        return await withDeadline({ ms: deadlineMs, error, signal }, async (inTime) => {
          const path = `${server.pathname}${server.search}`;
          const proxy = connection.route.kind === 'proxy' ? connection.route.proxy : undefined;
          // A proxy forwards http, and opens a tunnel for https.
          const forwarder = server.protocol === 'http:' ? proxy : undefined;
          const { body, statusCode } = await dispatcher.request({
            ...(forwarder === undefined
              ? { origin: server.origin, path }
              : { origin: forwarder.origin, path: `${server.origin}${path}` }),
            method: 'GET',
            headers: {
              accept: 'application/json',
              'user-agent': 'sharedcloud-agent',
              ...(forwarder === undefined ? {} : { host: server.host }),
              ...(forwarder?.authorization === undefined
                ? {}
                : { 'proxy-authorization': forwarder.authorization }),
            },
            signal: inTime,
          });
          if (statusCode !== 200) throw failed(`${name} answered with ${statusCode}`);
          return await bounded(body, name);
        });
      } catch (thrown) {
        throw thrown instanceof AgentError ? thrown : failed(`${name}: ${reasonOf(thrown)}`);
      } finally {
        await dispatcher.destroy();
      }
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

/** The code tells most, and never contains a URL. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') return thrown.code;
  return thrown instanceof Error ? thrown.message : 'failed';
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
